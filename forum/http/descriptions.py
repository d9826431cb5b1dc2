"""What the routes and their fields are for, in the words of the OpenAPI document."""

from typing import NamedTuple


class Description(NamedTuple):
    """Of an operation: its id, which names a method of generated clients, and two texts."""

    id: str
    tag: str
    summary: str
    text: str


TAGS = {
    "users": "Making an account, and looking at one.",
    "sessions": "Logging in and out; a token names a session.",
    "articles": "Reading anybody's articles, writing one's own.",
    "operations": "For those who run the service.",
}

_WHERE_IT_STANDS = (
    "The access token stands in the body, or in the header `Authorization: Bearer`; the body's "
    "counts where both are given."
)

EXAMPLES = {
    "username": "alice#1",
    "password": "Password#1",
    "new-password": "Password#2",
    "title": "Hello",
    "text": "Hello, world",
    "id": 1,
    "user_id": 1,
    "author.username": "alice#1",
    "current": True,
    "next": False,
}
"""Of fields: what a first user sees who sends the examples of the requests."""

DESCRIPTIONS = {
    ("POST", "/register"): Description(
        "register", "users", "Register a user", "Names are case-sensitive and never change."
    ),
    ("GET", "/users/{user_id}"): Description(
        "get_user", "users", "Look at a user", "What anybody may know of a user."
    ),
    ("POST", "/login"): Description(
        "log_in",
        "sessions",
        "Log in",
        "Begins a session and answers its access token. A wrong password and an unknown name are "
        "answered alike.",
    ),
    ("POST", "/logout"): Description(
        "log_out", "sessions", "Log out", f"Ends the session of the token. {_WHERE_IT_STANDS}"
    ),
    ("POST", "/change-password"): Description(
        "change_password",
        "sessions",
        "Change the password",
        f"Ends every session, and begins a fresh one whose token is answered. {_WHERE_IT_STANDS}",
    ),
    ("POST", "/verify-token"): Description(
        "verify_token", "sessions", "Ask whose token it is", _WHERE_IT_STANDS
    ),
    ("GET", "/sessions"): Description(
        "list_sessions", "sessions", "List one's sessions", f"The newest first. {_WHERE_IT_STANDS}"
    ),
    ("DELETE", "/sessions"): Description(
        "end_other_sessions",
        "sessions",
        "End all other sessions",
        f"All but the one that asks; those that ended are answered. {_WHERE_IT_STANDS}",
    ),
    ("DELETE", "/sessions/{session_id}"): Description(
        "end_session", "sessions", "End one of one's sessions", _WHERE_IT_STANDS
    ),
    ("GET", "/articles"): Description(
        "list_articles",
        "articles",
        "List the latest articles",
        "The newest first, by pages. A page past the end is empty.",
    ),
    ("GET", "/users/{user_id}/articles"): Description(
        "list_articles_of_user",
        "articles",
        "List the articles of a user",
        "The newest first, by pages. A page past the end is empty.",
    ),
    ("GET", "/articles/{article_id}"): Description(
        "get_article", "articles", "Read an article", "With its text and the name of its author."
    ),
    ("POST", "/articles/new"): Description(
        "post_article", "articles", "Write an article", _WHERE_IT_STANDS
    ),
    ("PUT", "/articles/{article_id}/edit"): Description(
        "edit_article",
        "articles",
        "Edit one's article",
        f"Title and text change; id, author and date stay. {_WHERE_IT_STANDS}",
    ),
    ("DELETE", "/articles/{article_id}/delete"): Description(
        "delete_article",
        "articles",
        "Delete one's article",
        f"What the article was is answered. {_WHERE_IT_STANDS}",
    ),
    ("GET", "/healthz"): Description(
        "get_health", "operations", "Ask whether the process answers", "It asks nobody else."
    ),
    ("GET", "/readyz"): Description(
        "get_readiness",
        "operations",
        "Ask whether the store is ready",
        "It is where it answers in time and no migration of this version is missing.",
    ),
    ("GET", "/openapi.json"): Description(
        "get_openapi", "operations", "Read this document", "OpenAPI 3.1, of this very version."
    ),
}
