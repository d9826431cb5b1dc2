"""The one table of routes."""

from dataclasses import dataclass
from enum import Enum, auto


class Body(Enum):
    """What the body of a request may hold."""

    NONE = auto()
    FIELDS = auto()
    """Names, passwords, tokens: a few hundred bytes."""
    ARTICLE = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a path: which resource answers it, under which suffix of its responders."""

    method: str
    path: str
    resource: str
    suffix: str | None
    body: Body


ROUTES = (
    Route("POST", "/register", "users", "register", Body.FIELDS),
    Route("POST", "/login", "sessions", "login", Body.FIELDS),
    Route("POST", "/logout", "sessions", "logout", Body.FIELDS),
    Route("POST", "/change-password", "sessions", "change_password", Body.FIELDS),
    Route("POST", "/verify-token", "sessions", "verify_token", Body.FIELDS),
    Route("GET", "/sessions", "sessions", "all", Body.FIELDS),
    Route("DELETE", "/sessions", "sessions", "all", Body.FIELDS),
    Route("DELETE", "/sessions/{session_id}", "sessions", None, Body.FIELDS),
    Route("GET", "/users/{user_id}", "users", None, Body.NONE),
    Route("GET", "/users/{user_id}/articles", "articles", "latest_by", Body.NONE),
    Route("GET", "/articles", "articles", "latest", Body.NONE),
    Route("POST", "/articles/new", "articles", "new", Body.ARTICLE),
    Route("GET", "/articles/{article_id}", "articles", None, Body.NONE),
    Route("PUT", "/articles/{article_id}/edit", "articles", "edit", Body.ARTICLE),
    Route("DELETE", "/articles/{article_id}/delete", "articles", "delete", Body.FIELDS),
)
