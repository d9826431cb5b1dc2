"""Connections to a SQLite file, which are given up when the file is not there any more."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw
from peewee import OperationalError
from playhouse.apsw_ext import APSWDatabase
from playhouse.sqlite_ext import AutoIncrementField

from forum.adapters.sql.connections import TrackedConnections
from forum.adapters.sql.sqlite_files import DatabaseFiles
from forum.domain.errors import Unavailable

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",  # With less, the answer leaves before the data is on the disk.
    "foreign_keys": "on",
}

_LOOP_WAIT = 0.1
"""Seconds for which an event loop may wait: reads wait for nobody but a recovery after a crash."""

_LOST = "the files of the database are not there"

_BUSY_PAUSE = 0.01
"""Seconds between two attempts at what SQLite does not wait for."""

_REMEMBERED_TIMES = 64
"""Whose conversion is not repeated: a statement binds the present once for each of its places."""


class ApswDatabase(TrackedConnections, APSWDatabase):  # type: ignore[misc]
    """Peewee's database in a file that must exist."""

    key_field = AutoIncrementField

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self._busy_timeout = busy_timeout
        self._files = DatabaseFiles(path.absolute())
        super().__init__(
            os.fspath(path),
            pragmas=_PRAGMAS,
            timeout=busy_timeout,
            flags=apsw.SQLITE_OPEN_READWRITE,  # `SqliteDatabase.create` makes files.
        )

    def close_all(self) -> None:
        super().close_all()
        self._files.note_closed()

    def commit(self) -> None:
        """End the transaction.

        Raises OperationalError where SQLite has taken it back by itself, as it may after an error:
        Peewee would say nothing.
        """
        if not super().commit():
            raise OperationalError("the transaction was taken back")

    def open_first(self) -> None:
        """Turn a new file to WAL mode, when no other process does.

        SQLite refuses the second at once.
        """
        deadline = time.monotonic() + self._busy_timeout
        while self.is_closed():
            try:
                self.connect()
            except OperationalError as error:
                if not isinstance(error.__context__, apsw.BusyError) or time.monotonic() > deadline:
                    raise
                time.sleep(_BUSY_PAUSE)

    def lent(self) -> AbstractContextManager[object]:
        """A block in which another thread has the connection of this one, which waits."""
        return self._borrowed(self._state.__dict__)

    @contextmanager
    def _borrowed(self, lent: dict[str, Any]) -> Iterator[None]:
        # All that Peewee knows of a thread; it lends a connection to none.
        own: dict[str, Any] = self._state.__dict__
        saved = own.copy()
        own.update(lent)
        try:
            yield
        finally:
            lent.update(own)
            own.update(saved)

    def require_files(self, *, look: bool) -> None:
        """Raise `Unavailable` where the files are not those that were opened, and let go of them.

        A look that is a second old counts, unless asked to `look`.
        """
        is_closed = self.is_closed()
        are_lost = self._files.are_lost(look=look)
        if not is_closed and self._state.generation != self._files.generation:
            if self._files.has_lost_its_log():
                self._save_log()
            self.close()
        if are_lost:
            raise Unavailable(_LOST)

    def _save_log(self) -> None:
        # What the nameless log holds was answered, and is read from nowhere else any more.
        with suppress(apsw.Error):
            self.connection().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _connect(self) -> apsw.Connection:
        # To look into another file that lies there by now would be enough to lose what is in the
        # log: SQLite takes it for that file's own.
        if self._files.are_lost(look=True):
            raise Unavailable(_LOST)
        connection: apsw.Connection = super()._connect()
        connection.convert_binding = _bind_time  # Called for what apsw cannot bind alone.
        # Or else SQLite plans a join anew for each value: three quarters of the time of a query.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        if _is_event_loop():
            connection.set_busy_timeout(int(min(self._busy_timeout, _LOOP_WAIT) * 1000))
        self._state.generation = self._files.generation
        self._files.note_opened()
        return connection


def _is_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _bind_time(cursor: apsw.Cursor, number: int, value: datetime) -> str:
    # The migration runner binds a naive one, in a form of its own.
    return to_stored(value) if value.tzinfo else value.isoformat()


@lru_cache(_REMEMBERED_TIMES)
def to_stored(moment: datetime) -> str:
    """The moment as the tables keep it: naive, in UTC, to the microsecond."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
