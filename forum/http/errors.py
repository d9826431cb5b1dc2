"""The answers to what the forum refuses, on one screen."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import falcon
import falcon.asgi
import orjson

from forum.domain import errors
from forum.http.dispatch import NoThreadFree


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


class BodyMemoryFull(errors.Unavailable):
    """All bodies that are here take more memory than they may."""

    def __init__(self) -> None:
        super().__init__("the bodies that are here fill FORUM_BODY_MEMORY")


class ExpectationFailed(errors.Refusal):
    """The client expects something else than to be asked for its body."""


RETRY_AFTER = 1
"""Seconds after which a client may try again: as long as a restart or a failover usually takes."""


class Answer(NamedTuple):
    """What is answered to a refusal; the braces are filled with what it carries."""

    status: int
    sentence: str
    headers: Mapping[str, str] = MappingProxyType({})


_UNAVAILABLE = Answer(
    503, "Service is unavailable, try again later", {"Retry-After": str(RETRY_AFTER)}
)
_CHALLENGE = {"WWW-Authenticate": "Bearer"}

ANSWERS: dict[type[errors.Refusal], Answer] = {
    errors.UsernameMissing: Answer(400, "Username is missing"),
    errors.PasswordMissing: Answer(400, "Password is missing"),
    errors.BadUsername: Answer(400, "Bad username format"),
    errors.BadPassword: Answer(400, "Bad password format"),
    errors.UsernameTaken: Answer(409, "User with such username already exists"),
    errors.WrongCredentials: Answer(401, "Uncorrect username or/and password", _CHALLENGE),
    errors.TokenMissing: Answer(401, "Access-token is missing. Log in, please", _CHALLENGE),
    errors.InvalidToken: Answer(401, "Invalid access-token. Log in please", _CHALLENGE),
    errors.NewPasswordMissing: Answer(400, "New password is missing"),
    errors.BadNewPassword: Answer(400, "Bad new password format"),
    errors.WrongPassword: Answer(401, "Uncorrect password", _CHALLENGE),
    errors.SessionNotFound: Answer(404, "Session with id={id} was not found"),
    errors.TooManyRequests: Answer(429, "Too many requests", {"Retry-After": "{retry_after}"}),
    errors.UserNotFound: Answer(404, "User with id={id} was not found"),
    errors.ArticleNotFound: Answer(404, "Article with id={id} was not found"),
    errors.NotTheAuthor: Answer(403, "You can {action} only own article"),
    errors.BadBefore: Answer(400, "Bad before format"),
    errors.TitleMissing: Answer(400, "Article title is missing"),
    errors.TextMissing: Answer(400, "Article text is missing"),
    errors.BadTitle: Answer(400, "Bad article title format"),
    errors.BadText: Answer(400, "Bad article text format"),
    errors.Unavailable: _UNAVAILABLE,
    MalformedBody: Answer(400, "Malformed JSON body"),
    NotAnObject: Answer(400, "Request body must be a JSON object"),
    NoThreadFree: _UNAVAILABLE,
    BodyMemoryFull: _UNAVAILABLE,
    BodyCutShort: Answer(400, "Request body is incomplete"),
    BodyTooLarge: Answer(413, "Request body is too large"),
    UnsupportedMediaType: Answer(415, "Unsupported media type", {"Accept": "application/json"}),
    ExpectationFailed: Answer(417, "Expectation failed"),
}

UNEXPECTED = "Internal server error"

FALCON_SENTENCES = {404: "Not found", 405: "Method not allowed"}

REFUSED = "forum.refused"
"""The key of the scope under which the name of the refusal is left that was answered."""

_log = logging.getLogger(__name__)


def add_error_handlers(app: falcon.asgi.App[Any, Any]) -> None:
    """Answer every exception in the one shape `{"error": sentence}`."""
    app.add_error_handler(Exception, _answer_unexpected)
    app.add_error_handler(falcon.HTTPError, _answer_falcon)
    app.add_error_handler(errors.Refusal, _answer_refusal)


async def _answer_refusal(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: errors.Refusal, params: object
) -> None:
    if isinstance(error, errors.Unavailable):
        _log.warning("unavailable", extra={"reason": error.reason})
    req.scope[REFUSED] = type(error).__name__
    row, data = ANSWERS[type(error)], vars(error)
    resp.set_headers({name: value.format_map(data) for name, value in row.headers.items()})
    _answer(resp, row.status, row.sentence.format_map(data))


async def _answer_falcon(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: falcon.HTTPError, params: object
) -> None:
    resp.set_headers(error.headers or {})
    _answer(resp, error.status_code, FALCON_SENTENCES.get(error.status_code, "Bad request"))


async def _answer_unexpected(
    req: falcon.asgi.Request, resp: falcon.asgi.Response, error: Exception, params: object
) -> None:
    _log.error("failed", exc_info=error, extra={"method": req.method, "path": req.path})
    _answer(resp, 500, UNEXPECTED)


def _answer(resp: falcon.asgi.Response, status: int, sentence: str) -> None:
    resp.status = status
    resp.data = orjson.dumps({"error": sentence})
