"""How long a thread may wait for its store."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Own(threading.local):
    deadline: float | None = None


class TimeLimit:
    """The time that each thread has left; without a limit of its own it may wait for ever."""

    def __init__(self) -> None:
        self._own = _Own()

    @contextmanager
    def within(self, seconds: float | None) -> Iterator[None]:
        """Limit this thread until the end of the block; None lifts the limit."""
        before = self._own.deadline
        self._own.deadline = None if seconds is None else time.monotonic() + seconds
        try:
            yield
        finally:
            self._own.deadline = before

    def seconds_left(self) -> float | None:
        """What is left for this thread, never below 0; None if there is no limit."""
        deadline = self._own.deadline
        return None if deadline is None else max(0.0, deadline - time.monotonic())
