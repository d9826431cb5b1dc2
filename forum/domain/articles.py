"""Reading and writing articles."""

import re
from dataclasses import dataclass
from datetime import datetime

from forum.domain.errors import (
    ArticleNotFound,
    BadBefore,
    BadText,
    BadTitle,
    InvalidToken,
    NotTheAuthor,
    TextMissing,
    TitleMissing,
)
from forum.domain.ids import parse_id
from forum.domain.model import Article, Author, Draft, Headline, Page, Position, User
from forum.domain.ports import ArticleRepository, AuditLog, Clock
from forum.domain.rate_limits import RateLimiter
from forum.domain.users import UserService

_DIGITS = re.compile(r"[0-9]+")
_LAST_PAGE = 10**15

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}"
"""A regular expression for a time as clients know it, in words that Python and JavaScript share."""

POSITION = rf"{DATE},[1-9][0-9]{{0,18}}"
"""Likewise, for a place in a list."""

_POSITION = re.compile(POSITION)


@dataclass(frozen=True, slots=True)
class ArticleLimits:
    """Sizes: articles on a page, characters of a title and of a text."""

    page_size: int
    title: int
    text: int


class ArticleService:
    """What one can do with articles."""

    def __init__(
        self,
        articles: ArticleRepository,
        users: UserService,
        clock: Clock,
        rate_limiter: RateLimiter,
        audit_log: AuditLog,
        limits: ArticleLimits,
    ) -> None:
        self._articles = articles
        self._users = users
        self._clock = clock
        self._rate_limiter = rate_limiter
        self._audit_log = audit_log
        self._limits = limits

    def latest(self, *, page: str | None, before: str | None = None) -> Page:
        """A page of all articles, newest first.

        It begins after the position `before` where that is given, whatever the page. What is no
        page number means the first page. Raises `BadBefore`.
        """
        limit = self._limits.page_size + 1
        if before is None:
            return self._to_page(self._articles.latest(self._offset(page), limit))
        return self._to_page(self._articles.older(_parse_position(before), limit))

    def latest_by(self, user_id: str, *, page: str | None, before: str | None = None) -> Page:
        """A page of one user's articles, as `latest`. Raises `UserNotFound`, then `BadBefore`."""
        author, limit = self._users.profile(user_id), self._limits.page_size + 1
        if before is None:
            return self._to_page(self._articles.latest_by(author.id, self._offset(page), limit))
        return self._to_page(self._articles.older_by(author.id, _parse_position(before), limit))

    def read(self, article_id: str) -> Article:
        """A whole article. Raises `ArticleNotFound`."""
        number = parse_id(article_id)
        article = self._articles.find(number) if number else None
        if article is None:
            raise ArticleNotFound(article_id)
        return article

    def post(self, user: User, *, title: object, text: object) -> Article:
        """A new article.

        Raises `TitleMissing`, `TextMissing`, `BadTitle`, `BadText`, `TooManyRequests`, and
        `InvalidToken` if its author is gone.
        """
        draft = self._checked(title, text)
        now = self._clock.now()
        self._rate_limiter.admit_post(user.id, now)
        article = self._articles.add(_author(user), draft, now)
        if article is None:
            raise InvalidToken
        return article

    def edit(self, user: User, article_id: str, *, title: object, text: object) -> Article:
        """The article with a new title and text.

        Raises `ArticleNotFound`, `NotTheAuthor`, then as `post`.
        """
        number = self._require_owned(user, article_id, "edit")
        draft = self._checked(title, text)
        article = self._articles.update(number, _author(user), draft)
        if article is None:
            raise ArticleNotFound(article_id)
        return article

    def delete(self, user: User, article_id: str) -> Article:
        """What the removed article was. Raises `ArticleNotFound`, `NotTheAuthor`."""
        number = self._require_owned(user, article_id, "delete")
        article = self._articles.delete(number, _author(user))
        if article is None:
            raise ArticleNotFound(article_id)
        return article

    def _require_owned(self, user: User, article_id: str, action: str) -> int:
        number = parse_id(article_id)
        author_id = self._articles.find_author_id(number) if number else None
        if number is None or author_id is None:
            raise ArticleNotFound(article_id)
        if author_id != user.id:
            self._audit_log.record("not the author", user=user.id, article=number, action=action)
            raise NotTheAuthor(action)
        return number

    def _checked(self, title: object, text: object) -> Draft:
        if _is_blank(title):
            raise TitleMissing
        if _is_blank(text):
            raise TextMissing
        if not (isinstance(title, str) and _is_storable(title, self._limits.title)):
            raise BadTitle
        if not (isinstance(text, str) and _is_storable(text, self._limits.text)):
            raise BadText
        return Draft(title, text)

    def _offset(self, page: str | None) -> int:
        return (page_number(page) - 1) * self._limits.page_size

    def _to_page(self, rows: list[Headline | None]) -> Page:
        # One row more than a page is asked for: it is the sign of a next page, without a COUNT.
        headlines = [each for each in rows[: self._limits.page_size] if each is not None]
        return Page(headlines, len(rows) > self._limits.page_size)


def page_number(text: str | None) -> int:
    """The number that the text spells in plain digits, at least 1; 1 for any other text or none.

    A number of more than 15 digits is cut to one that is past every end, so that its offset, with
    at most 1,000 articles on a page, still fits into the 64 bits of a store.
    """
    if text is None or not _DIGITS.fullmatch(text):
        return 1
    digits = text.lstrip("0")
    return min(int(digits[:16] or 1), _LAST_PAGE)


def _parse_position(text: str) -> Position:
    """The position that the text spells: a date, as lists have it, a comma and an id."""
    date, _, id = text.partition(",")
    number = parse_id(id)
    if number is None or not _POSITION.fullmatch(text):
        raise BadBefore
    try:
        return Position(datetime.fromisoformat(f"{date}+00:00"), number)
    except ValueError:  # There is no such day, or no such hour.
        raise BadBefore from None


def _author(user: User) -> Author:
    return Author(user.id, user.username)


def _is_blank(value: object) -> bool:
    return not value or (isinstance(value, str) and value.isspace())


def _is_storable(value: str, limit: int) -> bool:
    # PostgreSQL cannot keep NUL, and a lone surrogate has no UTF-8.
    return len(value) <= limit and "\0" not in value and _has_utf8(value)


def _has_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
