"""What SQLite and PostgreSQL share: Peewee, and a connection of its own for each thread."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from typing import Any

from peewee import DataError, IntegrityError, PeeweeException, ProgrammingError

from forum.adapters.sql.connections import TrackedConnections, translated
from forum.adapters.sql.database import Row
from forum.adapters.sql.schema import SchemaReader
from forum.adapters.sql.statements import Statement
from forum.adapters.sql.time_limit import TimeLimit
from forum.domain.errors import Unavailable


class PeeweeDatabase(ABC):
    """A `BulkDatabase`, with what operators and migrations need besides.

    Every method that runs something raises `Unavailable` where the database cannot be used now.
    """

    is_embedded: bool
    """Whether it is read in this process, without a server."""

    def __init__(self, peewee: TrackedConnections) -> None:
        self.peewee = peewee
        """For the runner of the migrations."""
        self._limit = TimeLimit()
        # All at once, so that a statement that this dialect lacks fails now.
        self._rendered = {each: each.rendered_for(peewee) for each in Statement.all}

    @abstractmethod
    def create(self) -> None:
        """Make an empty database where there is none and one can be made. Raises OSError."""

    @abstractmethod
    def require(self) -> None:
        """Raise FileNotFoundError where it can be told that there is no database."""

    @abstractmethod
    def schema_at_one_moment(self) -> AbstractContextManager[SchemaReader | None]:
        """What the tables are, before anything is done to them; None without a database."""

    @abstractmethod
    def schema_in_transaction(self) -> SchemaReader:
        """What the tables are for the transaction that is open."""

    @abstractmethod
    def exclusive(self) -> AbstractContextManager[object]:
        """As in `BulkDatabase`."""

    def alone(self) -> AbstractContextManager[object]:
        """An `exclusive` transaction in which nobody else reads what it changes, either."""
        return self.exclusive()

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[object]:
        """As in `BulkDatabase`."""

    @abstractmethod
    def last_id(self, table: str) -> int:
        """As in `BulkDatabase`."""

    @abstractmethod
    def set_last_id(self, table: str, id: int) -> None:
        """As in `BulkDatabase`."""

    @abstractmethod
    def to_stored(self, moment: datetime) -> object:
        """As in `BulkDatabase`."""

    @abstractmethod
    def from_stored(self, stored: Any) -> datetime:
        """As in `Database`."""

    @abstractmethod
    def give_way_to_signals(self) -> None:
        """Let exceptions of signal handlers end the statements of this thread."""

    def within(self, seconds: float) -> AbstractContextManager[object]:
        """Bound how long this thread waits for the database, in all, until the end of the block.

        Beyond it `Unavailable` is raised. A write that a server has received, but not answered, may
        be done all the same.
        """
        return self._limit.within(seconds)

    def close(self) -> None:
        """Close the connections of all threads."""
        self.peewee.close_all()

    def read(self, statement: Statement, **parameters: object) -> list[Row]:
        return self.query(*self._bound(statement, parameters))

    def write(self, statement: Statement, **parameters: object) -> list[Row]:
        return self.query(*self._bound(statement, parameters))

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a statement in the words of this database."""
        try:
            return self._all_rows(sql, parameters)
        except PeeweeException as error:
            raise self._refusal(error) from error

    def write_many(self, statement: Statement, rows: Iterable[Mapping[str, object]]) -> None:
        sql = self._rendered[statement].sql
        with translated:
            self.peewee.cursor().executemany(sql, (self._bound(statement, row)[1] for row in rows))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with self._savepoint() if self.peewee.in_transaction() else self._outermost():
                yield
        except PeeweeException as error:
            raise self._refusal(error) from error

    @contextmanager
    def relaxed(self) -> Iterator[None]:
        if self.peewee.in_transaction():  # It is for that one to say.
            yield
            return
        try:
            with self._without_sync():
                yield
        except PeeweeException as error:
            raise self._refusal(error) from error

    def together(self) -> AbstractContextManager[AbstractContextManager[object]]:
        """A block whose transactions are committed at its end, all of them or none.

        Raises `Unavailable`. Each by itself where many write at the same time. What it gives is a
        block in which another thread writes into it, while this one waits.
        """
        return nullcontext(nullcontext())

    def version(self) -> object | None:
        """What is another one as soon as anything was committed, on any other connection.

        None where that costs as much as a query, or cannot be told now.
        """
        return None

    @abstractmethod
    def _outermost(self) -> AbstractContextManager[object]:
        """A transaction in which others write, too, where they can."""

    @abstractmethod
    def _without_sync(self) -> AbstractContextManager[object]:
        """A block, outside any transaction, whose commits wait for no disk."""

    @abstractmethod
    def _all_rows(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        """As `query`. Raises PeeweeException."""

    @abstractmethod
    def _require_transaction(self) -> None:
        """Raise `Unavailable` where the database has taken back what is open, unlike its driver."""

    @abstractmethod
    def _leave_connection(self) -> None:
        """Do not use the connection of this thread again after a failure, where that may help."""

    def _bound(
        self, statement: Statement, parameters: Mapping[str, object]
    ) -> tuple[str, Sequence[object]]:
        sql, in_order, number = self._rendered[statement]
        if len(parameters) != number:
            raise TypeError(f"the statement takes {number} parameters, not {set(parameters)}")
        return sql, in_order(parameters)

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self._require_transaction()
        # Peewee's own has a new name each time, which no cache of statements knows.
        self.peewee.execute_sql("SAVEPOINT inner_transaction")
        try:
            yield
        except BaseException:
            with suppress(PeeweeException):  # The whole transaction is gone.
                self.peewee.execute_sql("ROLLBACK TO SAVEPOINT inner_transaction")
                self.peewee.execute_sql("RELEASE SAVEPOINT inner_transaction")
            raise
        self.peewee.execute_sql("RELEASE SAVEPOINT inner_transaction")

    def _refusal(self, error: Exception) -> Exception:
        if isinstance(error, IntegrityError | DataError | ProgrammingError):
            return error
        if not self.peewee.in_transaction():
            self._leave_connection()
        return Unavailable(f"the database refused: {' '.join(str(error).split())}")
