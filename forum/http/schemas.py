"""The JSON that goes out."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from marshmallow import Schema, fields

from forum.domain.model import Article, Headline, Login, Page, Principal, Session, User

_REMEMBERED_TIMES = 4096
"""Whose form is not made anew. With the memory of the store it saves a sixth of the time of a list.
"""


@lru_cache(_REMEMBERED_TIMES)
def format_timestamp(moment: datetime) -> str:
    """A moment in UTC as clients know it.

    Naive ISO 8601 with six fractional digits, also when they are 0.
    """
    # The whole of it, with its zone, would take twice as long.
    return f"{moment.date().isoformat()}T{moment.time().isoformat(timespec='microseconds')}"


class Timestamp(fields.Field[datetime]):
    """A time in the form of `format_timestamp`."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return format_timestamp(value) if value else None


class IdentityAnswer(Schema):
    """Whom a token names."""

    id = fields.Integer()
    username = fields.String()


class UserAnswer(IdentityAnswer):
    """A profile."""

    date_registered = Timestamp()


class LoginAnswer(Schema):
    """A fresh token and whose it is."""

    token = fields.String(data_key="access-token")
    user_id = fields.Integer(attribute="user.id")
    username = fields.String(attribute="user.username")


class SessionAnswer(Schema):
    """A session, and whether it is the one that asks."""

    id = fields.Integer()
    created = Timestamp()
    last_used = Timestamp()
    expires = Timestamp()
    current = fields.Boolean()


class SessionsAnswer(Schema):
    """Sessions of one user."""

    sessions = fields.List(fields.Nested(SessionAnswer))


class StatusAnswer(Schema):
    """How the service is."""

    status = fields.String()


class OpenApiAnswer(Schema):
    """The OpenAPI document."""

    openapi = fields.String()
    info = fields.Dict()
    servers = fields.List(fields.Dict())
    tags = fields.List(fields.Dict())
    paths = fields.Dict()
    components = fields.Dict()


class WrittenArticleAnswer(Schema):
    """An article as its author gets it back."""

    id = fields.Integer()
    title = fields.String()
    text = fields.String()
    date_posted = Timestamp()
    user_id = fields.Integer(attribute="author.id")


class ArticleAnswer(WrittenArticleAnswer):
    """An article as anybody reads it."""

    author_username = fields.String(attribute="author.username", data_key="author.username")


class HeadlineAnswer(ArticleAnswer):
    """An article in a list."""

    class Meta:
        exclude = ("text",)


class PageAnswer(Schema):
    """A page of a list."""

    headlines = fields.List(fields.Nested(HeadlineAnswer), data_key="articles")
    has_next = fields.Boolean(data_key="next")


# The schemas are the documented shapes. What goes out is written without them, forty times as fast,
# and a test holds each answer equal to its schema.


def identity_answer(user: User) -> dict[str, object]:
    """As `IdentityAnswer`."""
    return {"id": user.id, "username": user.username}


def user_answer(user: User) -> dict[str, object]:
    """As `UserAnswer`."""
    return {**identity_answer(user), "date_registered": format_timestamp(user.date_registered)}


def login_answer(login: Login) -> dict[str, object]:
    """As `LoginAnswer`."""
    return {
        "access-token": login.token,
        "user_id": login.user.id,
        "username": login.user.username,
    }


def session_answer(session: Session, principal: Principal) -> dict[str, object]:
    """As `SessionAnswer`."""
    return {
        "id": session.id,
        "created": format_timestamp(session.created),
        "last_used": format_timestamp(session.last_used),
        "expires": format_timestamp(session.expires),
        "current": session.id == principal.session.id,
    }


def sessions_answer(sessions: list[Session], principal: Principal) -> dict[str, object]:
    """As `SessionsAnswer`."""
    return {"sessions": [session_answer(each, principal) for each in sessions]}


def written_answer(article: Article) -> dict[str, object]:
    """As `WrittenArticleAnswer`."""
    return {
        "id": article.id,
        "title": article.title,
        "text": article.text,
        "date_posted": format_timestamp(article.date_posted),
        "user_id": article.author.id,
    }


def article_answer(article: Article) -> dict[str, object]:
    """As `ArticleAnswer`."""
    return {**headline_answer(article), "text": article.text}


def headline_answer(article: Article | Headline) -> dict[str, object]:
    """As `HeadlineAnswer`."""
    return {
        "id": article.id,
        "title": article.title,
        "date_posted": format_timestamp(article.date_posted),
        "user_id": article.author.id,
        "author.username": article.author.username,
    }


def page_answer(page: Page) -> dict[str, object]:
    """As `PageAnswer`."""
    return {"articles": [headline_answer(each) for each in page.headlines], "next": page.has_next}
