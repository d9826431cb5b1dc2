"""PostgreSQL through psycopg 3."""

import math
import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from traceback import clear_frames
from typing import Any, TypeVar

import psycopg
from peewee import BigAutoField, PostgresqlDatabase, Psycopg3Adapter
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from forum.adapters.sql.database import Row
from forum.adapters.sql.peewee_database import PeeweeDatabase, TrackedConnections, translated
from forum.adapters.sql.postgres_schema import PostgresSchema
from forum.adapters.sql.schema import SchemaReader
from forum.adapters.sql.time_limit import TimeLimit

_MIGRATION_LOCK = 0x666F72756D
"""The key of the advisory lock: "forum" in ASCII."""

_VERDICT = 0.25
"""Seconds in which a server takes a cancellation, and in which it says what became of the
statement.
"""

_LEAST = 0.05
"""Seconds for an answer, also when no time is left: a rollback takes less, and saves the
connection.
"""

T = TypeVar("T")


class _Connection(psycopg.Connection[Any]):
    """Waits for the server no longer than its thread may: libpq itself would wait for ever."""

    limit: TimeLimit

    def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        """What the server answers. Raises OperationalError."""
        left = self.limit.seconds_left()
        timeout = None if left is None else max(left, _LEAST)
        try:
            return super().wait(gen, *arguments, **options | {"timeout": timeout})
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            return self._call_off(gen)

    def _call_off(self, gen: PQGen[T]) -> T:
        """Have the server cancel what it works at, or leave it alone.

        What it had done by then, if it had.
        """
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=_VERDICT)
        try:
            return super().wait(gen, timeout=_VERDICT)
        finally:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()


class _Adapter(Psycopg3Adapter):
    """Peewee's way to psycopg, with connections that know the limit of their database."""

    def connect(self, db: "_PsycopgDatabase", **parameters: Any) -> _Connection:
        left = db.limit.seconds_left()
        if left is not None:
            parameters["connect_timeout"] = max(
                2, min(parameters["connect_timeout"], math.ceil(left))
            )
        try:
            connection = _Connection.connect(db.database, **parameters)
        except psycopg.Error as error:
            # Its traceback holds the frame that holds it, with the socket, until it is collected.
            clear_frames(error.__traceback__)
            raise
        connection.limit = db.limit
        return connection


class _PsycopgDatabase(TrackedConnections, PostgresqlDatabase):
    psycopg3_adapter = _Adapter
    key_field = BigAutoField
    limit: TimeLimit


class PostgresDatabase(PeeweeDatabase):
    """A database on one or several servers.

    A single statement is its own transaction, so none is opened around it: that is one trip to the
    server instead of three. A connection that the server has ended is noticed before it is used;
    whatever fails is followed by a fresh one.
    """

    is_embedded = False

    def __init__(self, url: str, timeout: float) -> None:
        """Open nothing yet. Connecting and every statement may take `timeout` seconds each."""
        peewee = _PsycopgDatabase(url, prefer_psycopg3=True, **_options(url, timeout))
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

    def to_stored(self, moment: datetime) -> datetime:
        return moment.astimezone(UTC).replace(tzinfo=None)

    def from_stored(self, stored: datetime) -> datetime:
        return stored.replace(tzinfo=UTC)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Wait, however long, for all others of this kind and for all who write at the moment."""
        with self._limit.within(None), self.peewee.atomic():
            self.peewee.execute_sql("SET LOCAL statement_timeout = 0")
            self.peewee.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            for table in self.peewee.get_tables():
                self.peewee.execute_sql(f'LOCK TABLE "{table}" IN EXCLUSIVE MODE')
            yield

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


def _options(url: str, timeout: float) -> dict[str, Any]:
    """What the URL leaves open: it must end some time, also where a network swallows packets."""
    milliseconds, seconds = int(timeout * 1000), math.ceil(timeout)
    given = conninfo_to_dict(url)
    defaults = {
        "connect_timeout": max(2, seconds),
        "tcp_user_timeout": milliseconds,
        "keepalives_idle": seconds,
        "keepalives_interval": seconds,
        "application_name": "forum",
    }
    # The statements are few and always alike; to plan a list anew costs as much as to run it.
    plans = "-c plan_cache_mode=force_generic_plan"
    options = f"-c statement_timeout={milliseconds} {plans} {given.get('options') or ''}"
    return {name: value for name, value in defaults.items() if name not in given} | {
        "options": options
    }
