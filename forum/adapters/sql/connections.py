"""What the connections of SQLite and PostgreSQL share."""

from contextlib import nullcontext
from typing import Any

import peewee
from peewee import (  # type: ignore[attr-defined]  # the stubs leave the wrapper out
    __exception_wrapper__,
)

translated = __exception_wrapper__
"""A block in which errors of a driver become those of Peewee."""


class TrackedConnections(peewee.Database):
    """Mixed into a Peewee database: it can close all connections, and logs nothing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*arguments, **options)
        # Peewee lets one thread at a time connect or close, though what it keeps is each thread's
        # own: one that waits for a server which does not answer would hold up all of them.
        self._lock = nullcontext()

    def close_all(self) -> None:
        """Close every connection; call it when no other thread works with one."""
        self.close()
        for connection in list(self._open):
            self._close(connection)

    def _connect(self) -> Any:
        connection = super()._connect()  # type: ignore[misc]  # the stubs leave it out
        self._open.add(connection)
        return connection

    def _close(self, conn: Any) -> None:
        self._open.discard(conn)
        super()._close(conn)  # type: ignore[misc]

    def _log_query(self, sql: str, params: object) -> None:
        """Log nothing, at no level: the parameters are hashes of passwords, and people's texts."""
