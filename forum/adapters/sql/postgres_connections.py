"""Connections to PostgreSQL, which wait no longer than their threads may."""

import math
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from traceback import clear_frames
from typing import Any, TypeVar

import psycopg
from peewee import BigAutoField, PostgresqlDatabase, Psycopg3Adapter
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from forum.adapters.sql.connections import TrackedConnections, translated
from forum.adapters.sql.time_limit import TimeLimit

_VERDICT = 0.25
"""Seconds in which a server takes a cancellation, and in which it says what became of the
statement.
"""

_LEAST = 0.05
"""Seconds for an answer, also when no time is left: a rollback takes less, and saves the
connection.
"""

_LOOKS = 20
"""How often it is looked which processes of the server are behind connections that may be shared.
"""

_LOOK_STEP = 0.0001
"""Seconds by which the pause after each look is longer than the one before."""

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
        connection = _connect(db, parameters)
        try:
            if not db.has_sessions and _is_pooled(connection):
                with closing(_connect(db, parameters)) as other:
                    _require_sessions(connection, other)
            db.has_sessions = True
            connection.execute(db.session_settings)
        except psycopg.Error:
            connection.close()
            raise
        return connection


def _connect(db: "PsycopgDatabase", parameters: Mapping[str, Any]) -> _Connection:
    try:
        connection = _Connection.connect(db.database, autocommit=True, **parameters)
    except psycopg.Error as error:
        # Its traceback holds the frame that holds it, with the socket, until it is collected.
        clear_frames(error.__traceback__)
        raise
    connection.limit = db.limit
    return connection


def _is_pooled(connection: _Connection) -> bool:
    """Whether something between us and the server has connections of its own to it."""
    return _server_process(connection) != connection.info.backend_pid


def _require_sessions(first: _Connection, second: _Connection) -> None:
    """Raise OperationalError unless each of two connections has its process of the server alone."""
    pairs = set()
    for number in range(_LOOKS):
        pairs.add((_server_process(first), _server_process(second)))
        time.sleep(number * _LOOK_STEP)  # Others who ask in the same rhythm could hide it.
    if len(pairs) > 1 or any(one == other for one, other in pairs):
        raise psycopg.OperationalError(
            "PgBouncer shares connections of the server between clients, who lose their settings "
            "and prepared statements: set pool_mode = session"
        )


def _server_process(connection: _Connection) -> int:
    [(process,)] = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchall()
    return int(process)


class PsycopgDatabase(TrackedConnections, PostgresqlDatabase):
    """Peewee's database, on one or several servers."""

    psycopg3_adapter = _Adapter
    key_field = BigAutoField
    limit: TimeLimit
    """Of the threads that use it."""
    has_sessions = False
    """Whether it is known that what is set on a connection stays there."""

    def __init__(self, url: str, timeout: float) -> None:
        given = conninfo_to_dict(url)
        defaults = _parameters(timeout)
        open_ones = {name: value for name, value in defaults.items() if name not in given}
        super().__init__(url, prefer_psycopg3=True, **open_ones)
        self.session_settings = _settings(timeout, str(given.get("options") or ""))

    def begin(self, isolation_level: str | None = None, *, is_relaxed: bool = False) -> None:
        """Begin a transaction, perhaps one whose commit does not wait for the disk."""
        if not is_relaxed:
            super().begin(isolation_level)
            return
        with translated:  # One trip to the server, not two.
            self.cursor().execute("BEGIN; SET LOCAL synchronous_commit = off")


def _parameters(timeout: float) -> dict[str, Any]:
    """What the URL may leave open: all must end some time, though a network swallows packets."""
    seconds = math.ceil(timeout)
    return {
        "connect_timeout": max(2, seconds),
        "tcp_user_timeout": int(timeout * 1000),
        "keepalives_idle": seconds,
        "keepalives_interval": seconds,
        "application_name": "forum",
    }


def _settings(timeout: float, options: str) -> str:
    """Statements for what these options of the URL leave open.

    PgBouncer refuses a connection that comes with options of its own.
    """
    defaults = {
        "statement_timeout": f"{int(timeout * 1000)}",
        # The statements are few and always alike; to plan a list anew costs as much as to run it.
        "plan_cache_mode": "force_generic_plan",
    }
    return "; ".join(f"SET {name} = {v}" for name, v in defaults.items() if name not in options)
