"""What the edge alone needs from outside."""

from collections.abc import Callable
from typing import Protocol


class Readiness(Protocol):
    """Whether the store can serve this version."""

    def __call__(self) -> None:
        """Raise `Unavailable` where it does not answer, or a migration is missing."""


class StoreVersion(Protocol):
    """Whether anything has changed in the store."""

    def __call__(self) -> object | None:
        """What is another one as soon as anything was committed, by any process.

        None where the store cannot tell that in microseconds, or not now. It is called on the event
        loop, and compared only with what the same process was told.
        """


class RequestMetrics(Protocol):
    """Where requests are counted."""

    def watch_in_flight(self, read: Callable[[], int]) -> None:
        """Call this, whenever it is wanted, for how many requests are being answered."""

    def count_answer(
        self,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        *,
        is_remembered: bool | None,
        refusal: str | None,
    ) -> None:
        """Count an answer.

        The route is that of the table, None for a path that no route has; `is_remembered` is None
        for what cannot come from memory; `refusal` is the name of the refusal that was answered, or
        None.
        """


class PoolMetrics(Protocol):
    """Where the use of a pool of threads is noted."""

    def change_waiting(self, by: int) -> None:
        """Note that so many more calls wait for a thread."""

    def change_running(self, by: int) -> None:
        """Note that so many more calls have one."""

    def note_wait(self, seconds: float) -> None:
        """Note how long a call has waited for a thread."""
