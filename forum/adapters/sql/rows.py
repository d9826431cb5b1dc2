"""How rows become values of the domain, and what happens to those that cannot."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import starmap
from typing import Any, TypeVar

from forum.domain.errors import Unavailable
from forum.domain.model import Account, Article, Author, Headline, Session, User

T = TypeVar("T")

_Row = Sequence[Any]

UNREADABLE = (TypeError, ValueError, AttributeError, OverflowError)
"""What a conversion raises at a value that it does not expect: no date, no text, too few columns.
"""

_SILENCE = 60.0
"""Seconds between two lines of the log about one row: every request may read it."""

_REMEMBERED = 1000
"""Rows whose last line is remembered, at most."""

_log = logging.getLogger(__name__)
_logged: dict[tuple[str, object], float] = {}


class Values:
    """Makes values of columns. Every method raises one of `UNREADABLE` where it cannot."""

    def __init__(self, from_stored: Callable[[Any], datetime]) -> None:
        self._from_stored = from_stored

    def user(self, id: int, username: object, date_registered: object) -> User:
        return User(id, _text(username), self._from_stored(date_registered))

    def account(
        self, id: int, username: object, date: object, password_hash: object, is_disabled: object
    ) -> Account:
        return Account(self.user(id, username, date), _text(password_hash), bool(is_disabled))

    def headline(
        self, id: int, title: object, date_posted: object, author_id: int, username: object
    ) -> Headline:
        if not type(title) is type(username) is str:  # Not by `_text`: it is read most often.
            raise TypeError
        return Headline(id, title, self._from_stored(date_posted), Author(author_id, username))

    def article(
        self,
        id: int,
        title: object,
        date_posted: object,
        author_id: int,
        username: object,
        text: object,
    ) -> Article:
        if not type(title) is type(text) is type(username) is str:
            raise TypeError
        author = Author(author_id, username)
        return Article(id, title, text, self._from_stored(date_posted), author)

    def session(self, id: int, created: object, last_used: object, expires: object) -> Session:
        from_stored = self._from_stored
        return Session(id, from_stored(created), from_stored(last_used), from_stored(expires))


def read_one(table: str, convert: Callable[..., T], rows: Sequence[_Row]) -> T | None:
    """The value of the first row, or None. Raises `Unavailable` if it is unreadable."""
    for row in rows:
        try:
            return convert(*row)
        except UNREADABLE:
            _log_unreadable(table, row)
            raise Unavailable from None
    return None


def read_all(table: str, convert: Callable[..., T], rows: Sequence[_Row]) -> list[T]:
    """The values of the rows, without those that are unreadable."""
    return [value for value in read_each(table, convert, rows) if value is not None]


def read_each(table: str, convert: Callable[..., T], rows: Sequence[_Row]) -> list[T | None]:
    """The value of each row, None where it is unreadable."""
    try:
        return list(starmap(convert, rows))
    except UNREADABLE:
        return [_value(table, convert, row) for row in rows]


def _log_unreadable(table: str, row: _Row) -> None:
    key, now = (table, row[0] if row else None), time.monotonic()
    if now - _logged.get(key, -_SILENCE) < _SILENCE:
        return
    if len(_logged) >= _REMEMBERED:
        _logged.clear()
    _logged[key] = now
    _log.warning("the row of %s with the id %r cannot be read", *key)


def _value(table: str, convert: Callable[..., T], row: _Row) -> T | None:
    try:
        return convert(*row)
    except UNREADABLE:
        _log_unreadable(table, row)
        return None


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError
    return value
