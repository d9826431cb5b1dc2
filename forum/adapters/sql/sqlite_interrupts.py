"""Statements of SQLite that give way to signals.

Python handles none while it is inside the library.
"""

import time
from collections.abc import Callable

import apsw

_STEPS = 100_000
"""Of SQLite's virtual machine between two looks at the signals: a few milliseconds."""

_PAUSE = 0.02
"""Seconds between two tries for a lock."""


def give_way(connection: apsw.Connection, busy_timeout: float) -> None:
    """Let exceptions of signal handlers end statements, also those that wait for a lock.

    A statement still waits `busy_timeout` seconds for others. For the main thread alone: elsewhere
    Python runs no handlers.
    """
    connection.set_progress_handler(lambda: False, _STEPS)
    connection.set_busy_handler(_wait(busy_timeout))


def _wait(busy_timeout: float) -> Callable[[int], bool]:
    def wait(tries: int) -> bool:
        time.sleep(_PAUSE)
        return tries * _PAUSE < busy_timeout

    return wait
