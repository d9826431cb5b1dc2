"""The answers to what the forum refuses, on one screen."""

import logging
from typing import Any

import falcon
import falcon.asgi
import orjson

from forum.domain import errors


class MalformedBody(errors.Refusal):
    """The body is no JSON."""


class NotAnObject(errors.Refusal):
    """The body is JSON, but no object."""


class UnsupportedMediaType(errors.Refusal):
    """The body has another type than JSON, or an encoding."""


class BodyTooLarge(errors.Refusal):
    """The body is longer than the limit."""


class BodyCutShort(errors.Refusal):
    """The body ended before its announced length."""


class ExpectationFailed(errors.Refusal):
    """The client expects something else than to be asked for its body."""


ANSWERS: dict[type[errors.Refusal], tuple[int, str]] = {
    errors.UsernameMissing: (400, "Username is missing"),
    errors.PasswordMissing: (400, "Password is missing"),
    errors.BadUsername: (400, "Bad username format"),
    errors.BadPassword: (400, "Bad password format"),
    errors.UsernameTaken: (409, "User with such username already exists"),
    errors.WrongCredentials: (401, "Uncorrect username or/and password"),
    errors.TokenMissing: (401, "Access-token is missing. Log in, please"),
    errors.InvalidToken: (401, "Invalid access-token. Log in please"),
    errors.NewPasswordMissing: (400, "New password is missing"),
    errors.BadNewPassword: (400, "Bad new password format"),
    errors.WrongPassword: (401, "Uncorrect password"),
    errors.SessionNotFound: (404, "Session with id={id} was not found"),
    errors.TooManyRequests: (429, "Too many requests"),
    errors.UserNotFound: (404, "User with id={id} was not found"),
    errors.ArticleNotFound: (404, "Article with id={id} was not found"),
    errors.NotTheAuthor: (403, "You can {action} only own article"),
    errors.TitleMissing: (400, "Article title is missing"),
    errors.TextMissing: (400, "Article text is missing"),
    errors.BadTitle: (400, "Bad article title format"),
    errors.BadText: (400, "Bad article text format"),
    errors.Unavailable: (503, "Service is unavailable, try again later"),
    MalformedBody: (400, "Malformed JSON body"),
    NotAnObject: (400, "Request body must be a JSON object"),
    BodyCutShort: (400, "Request body is incomplete"),
    BodyTooLarge: (413, "Request body is too large"),
    UnsupportedMediaType: (415, "Unsupported media type"),
    ExpectationFailed: (417, "Expectation failed"),
}

_FALCON_SENTENCES = {404: "Not found", 405: "Method not allowed"}

RETRY_AFTER = 1
"""Seconds after which a client may try again: as long as a restart or a failing over usually takes.
"""

_log = logging.getLogger(__name__)


def add_error_handlers(app: falcon.asgi.App[Any, Any]) -> None:
    """Answer every exception in the one shape `{"error": sentence}`."""
    app.add_error_handler(Exception, _answer_unexpected)
    app.add_error_handler(falcon.HTTPError, _answer_falcon)
    app.add_error_handler(errors.Refusal, _answer_refusal)


async def _answer_refusal(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: errors.Refusal, params: object
) -> None:
    status, sentence = ANSWERS[type(error)]
    if isinstance(error, errors.TooManyRequests):
        resp.set_header("Retry-After", str(error.retry_after))
    _answer(resp, status, sentence.format_map(vars(error)))


async def _answer_falcon(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError, params: object
) -> None:
    resp.set_headers(error.headers or {})
    _answer(resp, error.status_code, _FALCON_SENTENCES.get(error.status_code, "Bad request"))


async def _answer_unexpected(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: Exception, params: object
) -> None:
    _log.error("%s %r failed", req.method, req.path, exc_info=error)
    _answer(resp, 500, "Internal server error")


def _answer(resp: falcon.asgi.Response, status: int, sentence: str) -> None:
    resp.status = status
    resp.data = orjson.dumps({"error": sentence})
    if status == 401:
        resp.set_header("WWW-Authenticate", "Bearer")
    if status == 503:
        resp.set_header("Retry-After", str(RETRY_AFTER))
