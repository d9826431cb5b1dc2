"""Who may write to a SQLite file next.

SQLite lets writers wait in a loop that sleeps up to a tenth of a second, and whoever comes just
then overtakes all of them. Here they queue in the kernel. It is about fairness alone: what keeps
writers apart is SQLite's own lock, also from programs that do not know of the queue.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from forum.domain.errors import Unavailable

_NONE = -1
"""For the descriptor of a file that is not there."""

_PAUSE = 0.002
"""Seconds between two looks at the gate, for those who cannot wait in the queue itself: nothing can
call them back from there.
"""


class Gate:
    """Lets one writer at a time to a database, of all threads and processes that take it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + "-gate")

    @contextmanager
    def taken_in_turn(self, *, or_make: bool) -> Iterator[None]:
        """Wait in the queue until all others are through, however long.

        Where there is none, make one or go on. Raises `Unavailable`.
        """
        with _closed_in_the_end(self._opened(or_make=or_make)) as descriptor:
            if descriptor != _NONE:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    @contextmanager
    def taken_within(self, seconds: float) -> Iterator[None]:
        """Wait beside the queue until there is a gap, if there is a queue at all.

        Raises `Unavailable`.
        """
        with _closed_in_the_end(self._opened(or_make=False)) as descriptor:
            if descriptor != _NONE:
                _take(descriptor, seconds)
            yield

    def _opened(self, *, or_make: bool) -> int:
        try:
            with suppress(FileNotFoundError):
                return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return self._made() if or_make else _NONE
        except OSError as error:
            raise Unavailable(f"{self._path.name} cannot be opened: {error.strerror}") from error

    def _made(self) -> int:
        # Whoever may write to the database may pass, also if it was another user who came first.
        owner = os.stat(self._database)  # noqa: PTH116
        descriptor = os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, owner.st_mode & 0o666)
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor


@contextmanager
def _closed_in_the_end(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        if descriptor != _NONE:
            os.close(descriptor)  # The lock is given up with it.


def _take(descriptor: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _is_free(descriptor):
        if time.monotonic() >= deadline:
            raise Unavailable("others wrote for too long")
        time.sleep(_PAUSE)


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
