"""What a row must be to be moved: all that any store can keep and the forum can have meant."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from forum.domain.ids import MAX_ID
from forum.domain.model import Account, Article, Author, Session, User


class BadColumn(ValueError):
    """A value that no store should keep; the text is the name of its column."""


class CheckedValues:
    """Makes values of the columns of rows that are moved. Every method raises `BadColumn`."""

    def __init__(
        self, from_stored: Callable[[Any], datetime], to_stored: Callable[[datetime], object]
    ) -> None:
        self._from_stored = from_stored
        self._to_stored = to_stored

    def account(
        self, id: object, username: object, date: object, password_hash: object, is_disabled: object
    ) -> Account:
        registered = self._time("date_registered", date)
        user = User(_id("id", id), _text("username", username), registered)
        if type(is_disabled) not in (int, bool) or is_disabled not in (0, 1):
            raise BadColumn("is_disabled")
        return Account(user, _text("password_hash", password_hash), bool(is_disabled))

    def article(
        self,
        id: object,
        title: object,
        text: object,
        date: object,
        user_id: object,
        username: object,
    ) -> Article:
        # A user who is not there has no name.
        author = Author(_id("user_id", user_id), _text("user_id", username))
        posted = self._time("date_posted", date)
        return Article(_id("id", id), _text("title", title), _text("text", text), posted, author)

    def session(
        self,
        id: object,
        created: object,
        last_used: object,
        expires: object,
        user_id: object,
        owner_id: object,
    ) -> tuple[int, Session]:
        if user_id != owner_id:
            raise BadColumn("user_id")
        return _id("user_id", user_id), Session(
            _id("id", id),
            self._time("created", created),
            self._time("last_used", last_used),
            self._time("expires", expires),
        )

    def _time(self, column: str, stored: object) -> datetime:
        try:
            moment = self._from_stored(stored)
        except (TypeError, ValueError, AttributeError, OverflowError):
            raise BadColumn(column) from None
        # Python reads other forms too, which the database would sort among the stored ones wrongly.
        if self._to_stored(moment) != stored:
            raise BadColumn(column)
        return moment


def _id(column: str, value: object) -> int:
    if type(value) is not int or not 0 < value <= MAX_ID:
        raise BadColumn(column)
    return value


def _text(column: str, value: object) -> str:
    # PostgreSQL cannot keep NUL.
    if type(value) is not str or "\0" in value:
        raise BadColumn(column)
    return value
