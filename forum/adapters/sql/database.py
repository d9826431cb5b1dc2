"""What the repositories need of a SQL database."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from peewee import (
    Context,
)

Row = Sequence[Any]
"""The columns in the order of the statement; the first alone where the driver cannot convert all."""


class Database(Protocol):
    """What the repositories need of a database. Both methods answer all rows, with nothing left open.

    They raise `Unavailable` when the database cannot answer now, and Peewee's `IntegrityError` when
    a constraint refuses a write.
    """

    def read(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement that changes nothing."""

    def write(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement in a transaction of its own, committed on return, or as a part of an exclusive one."""

    def create(self) -> None:
        """Make an empty database where there is none and one can be made. Raises OSError."""

    def demand(self) -> None:
        """Raise FileNotFoundError where it can be told that there is no database."""

    def release(self) -> None:
        """Close the connections of all threads."""

    def within(self, seconds: float) -> AbstractContextManager[object]:
        """Let this thread wait for the database so long at most, in all, until the end of the block.

        Beyond it `Unavailable` is raised. A write that a server has received, but not answered, may
        be done all the same.
        """

    for_update: bool
    """Whether rows can be locked one by one."""

    def all_or_nothing(self) -> AbstractContextManager[object]:
        """All or nothing for the writes inside. Raises `Unavailable`."""

    def exclusive(self) -> AbstractContextManager[Any]:
        """A transaction, around any number of reads and writes, beside which nobody else writes."""

    def view(self) -> AbstractContextManager[Any]:
        """A transaction, around any number of reads, that sees one state of the database."""

    def write_many(self, sql: str, rows: Iterable[Row]) -> None:
        """Run one statement for each row of parameters, inside `exclusive`."""

    def last_id(self, table: str) -> int:
        """The greatest key that the table has ever given; 0 for none."""

    def set_last_id(self, table: str, id: int) -> None:
        """Give greater keys only."""

    def get_sql_context(self) -> Context:
        """Peewee's, which turns queries into this database's dialect."""

    def store_time(self, moment: datetime) -> object:
        """The moment as this database keeps it: naive, in UTC, to the microsecond."""

    def load_time(self, stored: Any) -> datetime:
        """The aware moment that `store_time` stored. Raises one of `UNREADABLE` at anything else."""
