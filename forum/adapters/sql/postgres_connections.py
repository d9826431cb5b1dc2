"""Connections to PostgreSQL, which wait no longer than their threads may."""

import math
from contextlib import suppress
from traceback import clear_frames
from typing import Any, TypeVar

import psycopg
from peewee import BigAutoField, PostgresqlDatabase, Psycopg3Adapter
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from forum.adapters.sql.peewee_database import TrackedConnections, translated
from forum.adapters.sql.time_limit import TimeLimit

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

        Returns what it had done by then. Raises OperationalError.
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

    def connect(self, db: "PsycopgDatabase", **parameters: Any) -> _Connection:
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


class PsycopgDatabase(TrackedConnections, PostgresqlDatabase):
    """Peewee's database, on one or several servers."""

    psycopg3_adapter = _Adapter
    key_field = BigAutoField
    limit: TimeLimit
    """Of the threads that use it."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, prefer_psycopg3=True, **_options(url, timeout))

    def begin(self, isolation_level: str | None = None, *, is_relaxed: bool = False) -> None:
        """Begin a transaction, perhaps one whose commit does not wait for the disk."""
        if not is_relaxed:
            super().begin(isolation_level)
            return
        with translated:  # One trip to the server, not two.
            self.cursor().execute("BEGIN; SET LOCAL synchronous_commit = off")


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
