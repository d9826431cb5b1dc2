"""How rows become values of the domain, and what happens to those that cannot.

What converts them raises one of `UNREADABLE` where it cannot.
"""

import logging
import time
from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Any, TypeVar

from forum.domain.errors import Unavailable

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


def read_one(table: str, convert: Callable[..., T], rows: Sequence[_Row]) -> T | None:
    """The value of the first row, or None. Raises `Unavailable` if it is unreadable."""
    for row in rows:
        try:
            return convert(*row)
        except UNREADABLE:
            _log_unreadable(table, row)
            raise Unavailable(f"a row of {table} cannot be read") from None
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


def require_text(value: object) -> str:
    """The value itself. Raises TypeError if it is no text."""
    if type(value) is not str:
        raise TypeError
    return value
