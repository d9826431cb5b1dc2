"""Peewee keeps a connection for each thread, and knows only the one of the thread that asks."""

from contextlib import nullcontext
from typing import Any

import peewee


class TrackedConnections(peewee.Database):
    """Mixed into a Peewee database, so that the connections of all threads can be closed, and none tells what it is given."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._open: set[Any] = set()
        super().__init__(*arguments, **options)
        # Peewee lets one thread at a time connect or close, though what it keeps is each thread's
        # own: one that waits for a server which does not answer would hold up all of them.
        self._lock = nullcontext()

    def release(self) -> None:
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
