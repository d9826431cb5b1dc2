"""The tables of routes: the application is built from them, and held to them by tests."""

from dataclasses import dataclass

from marshmallow import Schema

from forum.domain import errors
from forum.domain.errors import Refusal
from forum.http import body_schemas, schemas
from forum.http.body_schemas import (
    ArticleBody,
    CredentialsBody,
    PasswordBody,
    RegistrationBody,
    TokenBody,
)

Refusals = tuple[type[Refusal], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a path."""

    method: str
    path: str
    resource: str
    """The name of what answers."""
    suffix: str | None
    """Of its responders."""
    body: type[body_schemas.Body] | None
    """What the request carries; None where nothing of it is read."""
    answer: type[Schema]
    """The documented shape of a 200."""
    refusals: Refusals = ()
    """What else its use case may answer, besides what is wrong with the token or the body."""

    @property
    def is_paged(self) -> bool:
        """Whether it answers a page of a list."""
        return self.answer is schemas.PageAnswer

    @property
    def is_public(self) -> bool:
        """Whether everybody gets the same, and may keep a copy."""
        return self.method == "GET" and self.answer in _PUBLIC

    @property
    def needs_token(self) -> bool:
        """Whether the use case asks who the client is."""
        return self.body is not None and issubclass(self.body, TokenBody)


_PUBLIC = {schemas.UserAnswer, schemas.PageAnswer, schemas.ArticleAnswer}
_CREDENTIALS = (errors.UsernameMissing, errors.PasswordMissing)
_WORDS = (errors.TitleMissing, errors.TextMissing, errors.BadTitle, errors.BadText)
_OWN = (errors.ArticleNotFound, errors.NotTheAuthor)
_REGISTERING = (*_CREDENTIALS, errors.BadUsername, errors.BadPassword, errors.UsernameTaken)
_CHANGING = (
    errors.PasswordMissing,
    errors.NewPasswordMissing,
    errors.BadNewPassword,
    errors.WrongPassword,
)
_LIMITED = errors.TooManyRequests

ROUTES = (
    Route(
        "POST",
        "/register",
        "users",
        "register",
        RegistrationBody,
        schemas.UserAnswer,
        (*_REGISTERING, _LIMITED),
    ),
    Route(
        "POST",
        "/login",
        "sessions",
        "login",
        CredentialsBody,
        schemas.LoginAnswer,
        (*_CREDENTIALS, errors.WrongCredentials, _LIMITED),
    ),
    Route("POST", "/logout", "sessions", "logout", TokenBody, schemas.IdentityAnswer),
    Route(
        "POST",
        "/change-password",
        "sessions",
        "change_password",
        PasswordBody,
        schemas.LoginAnswer,
        (*_CHANGING, _LIMITED),
    ),
    Route("POST", "/verify-token", "sessions", "verify_token", TokenBody, schemas.IdentityAnswer),
    Route("GET", "/sessions", "sessions", "all", TokenBody, schemas.SessionsAnswer),
    Route("DELETE", "/sessions", "sessions", "all", TokenBody, schemas.SessionsAnswer),
    Route(
        "DELETE",
        "/sessions/{session_id}",
        "sessions",
        None,
        TokenBody,
        schemas.SessionAnswer,
        (errors.SessionNotFound,),
    ),
    Route(
        "GET", "/users/{user_id}", "users", None, None, schemas.UserAnswer, (errors.UserNotFound,)
    ),
    Route(
        "GET",
        "/users/{user_id}/articles",
        "articles",
        "latest_by",
        None,
        schemas.PageAnswer,
        (errors.UserNotFound, errors.BadBefore),
    ),
    Route("GET", "/articles", "articles", "latest", None, schemas.PageAnswer, (errors.BadBefore,)),
    Route(
        "POST",
        "/articles/new",
        "articles",
        "new",
        ArticleBody,
        schemas.WrittenArticleAnswer,
        (*_WORDS, _LIMITED),
    ),
    Route(
        "GET",
        "/articles/{article_id}",
        "articles",
        None,
        None,
        schemas.ArticleAnswer,
        (errors.ArticleNotFound,),
    ),
    Route(
        "PUT",
        "/articles/{article_id}/edit",
        "articles",
        "edit",
        ArticleBody,
        schemas.WrittenArticleAnswer,
        (*_OWN, *_WORDS),
    ),
    Route(
        "DELETE",
        "/articles/{article_id}/delete",
        "articles",
        "delete",
        TokenBody,
        schemas.WrittenArticleAnswer,
        _OWN,
    ),
    Route("GET", "/healthz", "operations", "health", None, schemas.StatusAnswer),
    Route(
        "GET",
        "/readyz",
        "operations",
        "readiness",
        None,
        schemas.StatusAnswer,
        (errors.Unavailable,),
    ),
    Route("GET", "/openapi.json", "documents", "openapi", None, schemas.OpenApiAnswer),
)

FILES = {"/favicon.ico": "favicon", "/robots.txt": "robots"}
"""What browsers and robots ask every server for, and the suffix of its responder."""

PAGES = {"/": "front", "/docs": "docs", "/static/{name}": "static"}
"""The pages for people, with what they load, and the suffixes of their responders."""
