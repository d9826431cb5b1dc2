"""What repositories need of a SQL database."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from forum.adapters.sql.statements import Statement

Row = Sequence[Any]
"""The columns in the order of the statement; the first alone where the driver cannot convert all.
"""


class Database(Protocol):
    """Runs statements with all their parameters by name; times among them are converted.

    Both methods return all rows, with nothing left open. They raise `Unavailable` when the database
    cannot answer now, Peewee's `IntegrityError` when a constraint refuses a write, and TypeError or
    KeyError where parameters are missing or too many.
    """

    def read(self, statement: Statement, **parameters: object) -> list[Row]:
        """Run one statement that changes nothing."""

    def write(self, statement: Statement, **parameters: object) -> list[Row]:
        """Run one statement that is committed on return, or with the transaction around it."""

    def transaction(self) -> AbstractContextManager[object]:
        """All or nothing for the writes inside. One inside another takes back only its own writes.

        Raises `Unavailable`.
        """

    def relaxed(self) -> AbstractContextManager[object]:
        """A block that need not be on the disk when it is over: so it waits for none.

        Within a transaction it is as durable as that. Raises `Unavailable`.
        """

    def from_stored(self, stored: Any) -> datetime:
        """The aware moment of a column. Raises one of `UNREADABLE` at anything else."""


class BulkDatabase(Database, Protocol):
    """What moving a whole store needs besides."""

    def snapshot(self) -> AbstractContextManager[object]:
        """A transaction, around any number of reads, that sees one state of the database."""

    def exclusive(self) -> AbstractContextManager[object]:
        """A transaction, around any number of reads and writes, beside which nobody else writes."""

    def write_many(self, statement: Statement, rows: Iterable[Mapping[str, object]]) -> None:
        """Run one statement for each of the parameters, inside `exclusive`."""

    def to_stored(self, moment: datetime) -> object:
        """The moment as this database keeps it: naive, in UTC, to the microsecond."""

    def last_id(self, table: str) -> int:
        """The greatest key that the table has ever given; 0 for none."""

    def set_last_id(self, table: str, id: int) -> None:
        """Give greater keys only."""
