"""Whether the files of a SQLite database are still those that were opened.

SQLite goes on with a file that has lost its name, or has been replaced, and every write to it is
lost without a word.
"""

import logging
import os
import threading
import time
from pathlib import Path

_INTERVAL = 1.0
"""Seconds for which a look is good enough for reads."""

_PAUSE = 2 * _INTERVAL
"""Seconds before files that are back are opened again: by then no process uses the old ones any
more.

Until then a process that has not looked yet would share the index of a write-ahead log with those
that have, but not the log itself.
"""

Identity = tuple[int, int] | None
"""Device and inode of a file; None for no file."""

_opened: dict[Path, Identity] = {}
"""What this process, or the one that it was forked from, has opened first under each path.

So a worker that is born when the file has been replaced knows it too. It must not even look into
the other file: SQLite would apply the log that lies beside it, or remove it.
"""

_log = logging.getLogger(__name__)


class DatabaseFiles:
    """The database file and its write-ahead log, as all threads of this process know them."""

    def __init__(self, path: Path) -> None:
        self.generation = 0
        """Grows when the files are lost: connections made before must not be used any more."""
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._log_file: Identity = None
        self._looked = 0.0
        self._lost: float | None = None
        self._lock = threading.Lock()

    def note_opened(self) -> None:
        """Remember the files, which a connection of this process has just opened."""
        with self._lock:
            _opened.setdefault(self._path, _identity(self._path))
            self._log_file = self._log_file or _identity(self._wal)

    def note_closed(self) -> None:
        """No connection of this process has them open any more: the log may be removed."""
        with self._lock:
            self._log_file = None

    def are_lost(self, *, look: bool) -> bool:
        """Whether the files are gone or others.

        A look that is a second old counts, unless asked to `look`.
        """
        now = time.monotonic()
        if look or now - self._looked >= _INTERVAL:
            with self._lock:
                self._look(now)
        return self._lost is not None

    def has_lost_its_log(self) -> bool:
        """Whether it is the write-ahead log alone that has no name any more."""
        return self._is_in_place() and _identity(self._wal) is None

    def _look(self, now: float) -> None:
        self._looked = now
        if self._lost is None:
            if self._have_changed():
                self._lost = now
                self.generation += 1
                _log.error("%s or its -wal was moved, removed or replaced", self._path)
        elif now - self._lost >= _PAUSE and self._is_in_place():
            self._lost = self._log_file = None
            _log.warning("%s is back", self._path)

    def _have_changed(self) -> bool:
        log_file = _identity(self._wal)
        # It is made by the first use of a new database.
        self._log_file = self._log_file or log_file
        return not self._is_in_place() or log_file != self._log_file

    def _is_in_place(self) -> bool:
        found = _identity(self._path)
        return found == _opened.get(self._path, found)


def _identity(path: Path) -> Identity:
    try:
        status = os.stat(path)  # noqa: PTH116  # half the time of the path's own
    except OSError:
        return None
    return status.st_dev, status.st_ino


def require_whole(path: Path) -> None:
    """Raise FileNotFoundError where what SQLite keeps beside a database lies beside none.

    It would be taken for a part of the one that is made there, or be removed.
    """
    for suffix in ("-wal", "-shm", "-journal"):
        remains = path.with_name(path.name + suffix)
        if remains.exists() and not _may_have(path, remains):
            raise FileNotFoundError(
                f"{remains} is there, but no database is at {path}: it was moved or removed"
            )


def _may_have(path: Path, remains: Path) -> bool:
    """Whether the database at this path may be the one that has what lies beside it."""
    # The first transaction of all has a journal beside a file that is empty until it commits.
    return path.exists() and (path.stat().st_size > 0 or remains.name.endswith("-journal"))
