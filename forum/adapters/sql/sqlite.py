"""SQLite through apsw, which brings a library of its own: the one of the system may be too old."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import apsw
from peewee import (  # type: ignore[attr-defined]  # the stubs leave the wrapper out
    DataError,
    IntegrityError,
    OperationalError,
    PeeweeException,
    ProgrammingError,
    __exception_wrapper__,
)
from playhouse.apsw_ext import APSWDatabase

from forum.adapters.sql.connections import TrackedConnections
from forum.adapters.sql.database import Row
from forum.adapters.sql.sqlite_files import DatabaseFiles
from forum.adapters.sql.sqlite_text import read_row_by_row
from forum.adapters.sql.time_limit import TimeLimit
from forum.domain.errors import Unavailable

OLDEST_LIBRARY = (3, 51, 3)
"""Before it, two connections that write or checkpoint at one moment can corrupt a WAL database (sqlite.org/wal.html)."""

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",  # With less, the answer leaves before the data is on the disk.
    "foreign_keys": "on",
}

_LOOP_WAIT = 0.1
"""Seconds for which an event loop may wait: reads wait for nobody but a recovery after a crash."""

_BUSY_PAUSE = 0.01
"""Seconds between two attempts at what SQLite does not wait for."""

_TIME_LENGTH = len("2020-02-02T00:17:49.735642")

_REMEMBERED_TIMES = 4096
"""Whose conversion is not repeated: most readers ask for the same few pages."""

_log = logging.getLogger(__name__)


class _Own(threading.local):
    """What each thread knows of its connection."""

    generation = 0


class SqliteDatabase(TrackedConnections, APSWDatabase):  # type: ignore[misc]
    """A `Database` in one file, with a connection for each thread."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        """Open nothing yet. A writer waits `busy_timeout` seconds for another one before it gives up."""
        if tuple(map(int, apsw.sqlite_lib_version().split("."))) < OLDEST_LIBRARY:
            raise OSError(f"SQLite {apsw.sqlite_lib_version()} is too old: install a newer apsw")
        self._busy_timeout = busy_timeout
        self._limit = TimeLimit()
        self._files = DatabaseFiles(path.absolute())
        self._own = _Own()
        super().__init__(
            os.fspath(path),
            pragmas=_PRAGMAS,
            timeout=busy_timeout,
            flags=apsw.SQLITE_OPEN_READWRITE,  # It is `create` alone that makes a file.
        )

    def create(self) -> None:
        """Make the file, readable by its owner alone, unless it is there. Raises OSError."""
        self.require_whole()
        path = Path(self.database)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._open_first()

    def require_whole(self) -> None:
        """Raise FileNotFoundError where what SQLite keeps beside a database lies beside none.

        It would be taken for a part of the one that is made there, or be removed.
        """
        path = Path(self.database)
        for each in map(path.with_name, _remains(path.name)):
            if each.exists() and not _may_have(path, each):
                raise FileNotFoundError(
                    f"{each} is there, but no database is at {path}: it was moved or removed"
                )

    def demand(self) -> None:
        path = Path(self.database)
        if not path.exists() or path.stat().st_size == 0:
            raise FileNotFoundError(f"there is no database at {path}")

    def within(self, seconds: float) -> AbstractContextManager[object]:
        return self._limit.within(seconds)

    def release(self) -> None:
        super().release()
        self._files.note_closed()

    def read(self, sql: str, *parameters: object) -> list[Row]:
        self._require_files(look=False)
        try:
            try:
                return self._all_rows(sql, parameters)
            except UnicodeDecodeError:
                with __exception_wrapper__:
                    return read_row_by_row(self.connection(), sql, parameters)
        except PeeweeException as error:
            raise _refusal(error) from error

    def write(self, sql: str, *parameters: object) -> list[Row]:
        try:
            with self.all_or_nothing():
                return self._all_rows(sql, parameters)
        except UnicodeDecodeError as error:
            raise _refusal(error) from error

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        try:
            # Nested, it is a part of the one around it.
            with nullcontext() if self.in_transaction() else self.exclusive():
                yield
        except PeeweeException as error:
            raise _refusal(error) from error

    def store_time(self, moment: datetime) -> str:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")

    def load_time(self, stored: str) -> datetime:
        return _load_time(stored)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """A transaction that holds the write lock from its beginning: an upgrade later would fail at once."""
        # Looking costs a seventh of a write, and the look that counts is the one at the end.
        self._require_files(look=False)
        left = self._limit.seconds_left()
        if left is not None:
            seconds = min(left, self._busy_timeout)
            self.connection().set_busy_timeout(int(seconds * 1000))
        with self.atomic("IMMEDIATE"):
            yield
        # Committed, but perhaps into a file that cannot be found any more.
        self._require_files(look=True)

    def view(self) -> AbstractContextManager[Any]:
        transaction: AbstractContextManager[Any] = self.atomic("DEFERRED")
        return transaction

    def write_many(self, sql: str, rows: Iterable[Row]) -> None:
        with __exception_wrapper__:
            self.cursor().executemany(sql, rows)

    def last_id(self, table: str) -> int:
        rows = self.read("SELECT seq FROM sqlite_sequence WHERE name = ?", table)
        return int(rows[0][0]) if rows else 0

    def set_last_id(self, table: str, id: int) -> None:
        self.write("DELETE FROM sqlite_sequence WHERE name = ?", table)
        self.write("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, id)

    def _all_rows(self, sql: str, parameters: tuple[object, ...]) -> list[Row]:
        # Rows left unread would keep the transaction open, and apsw raises errors of its own while
        # it fetches, which Peewee does not translate.
        with __exception_wrapper__:
            rows: list[Row] = self.connection().execute(sql, parameters).fetchall()
        return rows

    def _connect(self) -> apsw.Connection:
        connection: apsw.Connection = super()._connect()
        connection.convert_binding = _bind_time
        if _is_event_loop():
            connection.set_busy_timeout(int(min(self._busy_timeout, _LOOP_WAIT) * 1000))
        self._own.generation = self._files.generation
        self._files.note_opened()
        return connection

    def _open_first(self) -> None:
        """Turn the new file to WAL mode, when no other process does: SQLite refuses the second at once."""
        deadline = time.monotonic() + self._busy_timeout
        while self.is_closed():
            try:
                self.connect()
            except OperationalError as error:
                if not isinstance(error.__context__, apsw.BusyError) or time.monotonic() > deadline:
                    raise
                time.sleep(_BUSY_PAUSE)

    def _require_files(self, *, look: bool) -> None:
        """Raise `Unavailable` where the files are not those that were opened, and let go of them."""
        is_closed = self.is_closed()
        are_lost = self._files.are_lost(look=look or is_closed)
        if not is_closed and self._own.generation != self._files.generation:
            if self._files.has_lost_its_log():
                self._save_log()
            self.close()
        if are_lost:
            raise Unavailable

    def _save_log(self) -> None:
        # What the nameless log holds was answered, and is read from nowhere else any more.
        with suppress(apsw.Error):
            self.connection().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


@lru_cache(_REMEMBERED_TIMES)
def _load_time(stored: str) -> datetime:
    if len(stored) != _TIME_LENGTH:  # Python reads shorter forms too, some without a zone.
        raise ValueError(stored)
    return datetime.fromisoformat(stored + "+00:00")


def _is_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _remains(name: str) -> list[str]:
    """What SQLite has beside a database of this name while it is in use, or after a crash."""
    return [name + suffix for suffix in ("-wal", "-shm", "-journal")]


def _may_have(path: Path, remains: Path) -> bool:
    """Whether the database at this path may be the one that has what lies beside it."""
    # The first transaction of all has a journal beside a file that is empty until it commits.
    return path.exists() and (path.stat().st_size > 0 or remains.name.endswith("-journal"))


def _bind_time(cursor: apsw.Cursor, number: int, value: datetime) -> str:
    # The migration runner binds a datetime, which apsw alone cannot.
    return value.isoformat()


def _refusal(error: Exception) -> Exception:
    if isinstance(error, IntegrityError | DataError | ProgrammingError):
        return error
    _log.warning("the database refused: %s", error)
    return Unavailable()
