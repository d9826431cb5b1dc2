"""PostgreSQL through psycopg 3."""

import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from peewee import OperationalError

from forum.adapters.sql.connections import translated
from forum.adapters.sql.database import Row
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.postgres_connections import PsycopgDatabase
from forum.adapters.sql.postgres_schema import PostgresSchema
from forum.adapters.sql.schema import SchemaReader
from forum.adapters.sql.statements import Statement

_MIGRATION_LOCK = 0x666F72756D
"""The key of the advisory lock: "forum" in ASCII."""

_LOCK_WAIT = 50
"""Milliseconds for which a lock may be waited for while others are held: requests wait as long, and
PostgreSQL takes a second for a deadlock.
"""

_LOCK_PAUSE = 0.05
"""Seconds for requests between two attempts at all locks."""


class PostgresDatabase(PeeweeDatabase):
    """A database on one or several servers.

    A single statement is its own transaction, so none is opened around it: that is one trip to the
    server instead of three. A connection that the server has ended is noticed before it is used;
    whatever fails is followed by a fresh one.
    """

    is_embedded = False

    def __init__(self, url: str, timeout: float) -> None:
        """Open nothing yet. Connecting and every statement may take `timeout` seconds each."""
        peewee = PsycopgDatabase(url, timeout)
        super().__init__(peewee)
        peewee.limit = self._limit

    def create(self) -> None:
        """Nothing: a database on a server is made by its operator."""

    def require(self) -> None:
        """Nothing: connecting shows it."""

    def give_way_to_signals(self) -> None:
        """Nothing: psycopg gives way by itself."""

    @contextmanager
    def schema_at_one_moment(self) -> Iterator[SchemaReader]:
        with self.snapshot():
            yield self.schema_in_transaction()

    def schema_in_transaction(self) -> SchemaReader:
        return PostgresSchema(self.query)

    def _bound(
        self, statement: Statement, parameters: Mapping[str, object]
    ) -> tuple[str, Sequence[object]]:
        sql, values = super()._bound(statement, parameters)
        return sql, [self.to_stored(v) if isinstance(v, datetime) else v for v in values]

    def to_stored(self, moment: datetime) -> datetime:
        return moment.astimezone(UTC).replace(tzinfo=None)

    def from_stored(self, stored: datetime) -> datetime:
        return stored.replace(tzinfo=UTC)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Wait, however long, for all others of this kind and for all who write at the moment."""
        with self._one_of_its_kind():
            self._lock_tables("EXCLUSIVE")
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait, however long, for all who do anything at the moment."""
        with self._one_of_its_kind():
            self.peewee.execute_sql(f"SET LOCAL lock_timeout = {_LOCK_WAIT}")
            while not self._could_lock_tables("ACCESS EXCLUSIVE"):
                time.sleep(_LOCK_PAUSE)
            self.peewee.execute_sql("SET LOCAL lock_timeout = 0")
            yield

    @contextmanager
    def _one_of_its_kind(self) -> Iterator[None]:
        with self._limit.within(None), self.peewee.atomic():
            self.peewee.execute_sql("SET LOCAL statement_timeout = 0")
            self.peewee.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            yield

    def _lock_tables(self, mode: str) -> None:
        for table in self.peewee.get_tables():
            self.peewee.execute_sql(f'LOCK TABLE "{table}" IN {mode} MODE')

    def _could_lock_tables(self, mode: str) -> bool:
        """Whether all are locked; else none is, so that those who hold one up can go on."""
        try:
            with self.peewee.atomic():
                self._lock_tables(mode)
        except OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable):  # type: ignore[attr-defined]
                raise
            return False
        return True

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self.peewee.atomic():
            self.peewee.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self.peewee.execute_sql("SET LOCAL statement_timeout = 0")
            yield

    def last_id(self, table: str) -> int:
        [(last, is_called)] = self.query(f"SELECT last_value, is_called FROM {table}_id_seq")  # noqa: S608
        return int(last) if is_called else 0

    def set_last_id(self, table: str, id: int) -> None:
        # A sequence begins at 1, so that 0 is said as "1, not given yet".
        self.query("SELECT setval(%s, %s, %s)", [f"{table}_id_seq", max(id, 1), id > 0])

    @contextmanager
    def _outermost(self) -> Iterator[None]:
        self._leave_dead_connection()
        with self.peewee.atomic():
            yield

    @contextmanager
    def _without_sync(self) -> Iterator[None]:
        self._leave_dead_connection()
        with self.peewee.atomic(is_relaxed=True):
            yield

    def _all_rows(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        self._leave_dead_connection()
        with translated:
            cursor = self.peewee.execute_sql(sql, parameters)
            if cursor.description is None:
                return []
            try:
                rows: list[Row] = cursor.fetchall()
            except psycopg.DataError:
                rows = list(_convertible_rows(cursor))
        return rows

    def _require_transaction(self) -> None:
        """Nothing: PostgreSQL refuses whatever follows an error."""

    def _leave_connection(self) -> None:
        self.peewee.close()

    def _leave_dead_connection(self) -> None:
        if not self.peewee.in_transaction() and self._is_dead():
            self.peewee.close()

    def _is_dead(self) -> bool:
        """Whether the server has said something to an idle connection.

        Its last words, or the end of the stream.
        """
        if self.peewee.is_closed():
            return False
        poll = select.poll()
        poll.register(self.peewee.connection().pgconn.socket, select.POLLIN)
        return bool(poll.poll(0))


def _convertible_rows(cursor: psycopg.Cursor) -> Iterator[Row]:
    """The rows that could not be fetched together: Python lacks `infinity` for a column."""
    for number in range(cursor.rowcount):
        cursor.scroll(number, mode="absolute")
        try:
            yield cursor.fetchone() or ()
        except psycopg.DataError:
            yield _first_column(cursor, number)


def _first_column(cursor: psycopg.Cursor, number: int) -> Row:
    value = cursor.pgresult and cursor.pgresult.get_value(number, 0)
    return (int(value) if value and value.isdigit() else None,)
