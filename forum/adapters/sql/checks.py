"""What a column of a row must be to be moved: all that any store can keep."""

from datetime import datetime
from typing import Any

from forum.adapters.sql.database import BulkDatabase
from forum.adapters.sql.rows import UNREADABLE
from forum.domain.ids import MAX_ID


class BadColumn(ValueError):
    """A value that no store should keep; the text is the name of its column."""


class Checks:
    """Each returns a value as it is in the domain, or raises `BadColumn`."""

    def __init__(self, database: BulkDatabase) -> None:
        self._database = database

    def id(self, column: str, value: object) -> int:
        if type(value) is not int or not 0 < value <= MAX_ID:
            raise BadColumn(column)
        return value

    def text(self, column: str, value: object) -> str:
        # PostgreSQL cannot keep NUL.
        if type(value) is not str or "\0" in value:
            raise BadColumn(column)
        return value

    def flag(self, column: str, value: object) -> bool:
        if type(value) not in (int, bool) or value not in (0, 1):
            raise BadColumn(column)
        return bool(value)

    def time(self, column: str, stored: Any) -> datetime:
        try:
            moment = self._database.from_stored(stored)
        except UNREADABLE:
            raise BadColumn(column) from None
        # Python reads other forms too, which the database would sort among the stored ones wrongly.
        if self._database.to_stored(moment) != stored:
            raise BadColumn(column)
        return moment
