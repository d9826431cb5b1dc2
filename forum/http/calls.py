"""A use case that waits for its turn, and what becomes of it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from forum.domain.errors import Unavailable
from forum.http.dispatch import VERDICT
from forum.http.ports import PoolMetrics


class Call:
    """A use case of a request, run at most once. All of it is on the event loop."""

    def __init__(
        self,
        work: Callable[[], Any],
        seconds: float,
        refusal: Exception,
        metrics: PoolMetrics | None,
    ) -> None:
        """It waits `seconds` for its turn, and is answered with the `refusal` then."""
        self.loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self.loop.create_future()
        """Done when it is known what becomes of it."""
        self._work = work
        self._refusal = refusal
        self._metrics = metrics
        self._result: Any = None
        self._error: Exception | None = None
        self._is_waiting, self._is_running = True, False
        self._came = time.monotonic()
        self._deadline = self._came + seconds
        self._timer = self.loop.call_later(max(0.0, seconds), self._expire)
        if metrics:
            metrics.change_waiting(1)

    def begin(self) -> bool:
        """Whether it is to be run: its time is not over, and its client is still there."""
        if not self._is_waiting or time.monotonic() >= self._deadline:
            return False
        self._stop_waiting()
        self._is_running = True
        if self._metrics:
            self._metrics.change_running(1)
        return True

    def run(self) -> None:
        """Run it, when it has begun."""
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001  # whoever waits raises it
            self._error = error

    def end(self, failure: Exception | None) -> None:
        """Pass on what it returned or raised; the failure, where all was taken back."""
        if isinstance(failure, Unavailable):
            # Each has its own: one that is raised several times gathers the frames of all.
            failure = Unavailable(failure.reason)
        if failure:
            self._error = failure
        self._stop_waiting()
        if self._is_running and self._metrics:
            self._metrics.change_running(-1)
        if self.over.done():
            self._error = None
        else:
            self.over.set_result(None)

    def result(self) -> Any:
        """What it returned, when it is over; or raise what it raised."""
        if self._error is None:
            return self._result
        try:
            raise self._error
        finally:
            self._error = None

    def leave(self) -> None:
        """Nobody waits for it any more."""
        self._timer.cancel()
        self._stop_waiting()

    def _expire(self) -> None:
        if self._is_waiting:
            self._stop_waiting()
            self.over.set_exception(self._refusal)
        else:
            self._timer = self.loop.call_later(VERDICT, self._give_up)

    def _give_up(self) -> None:
        self.over.set_exception(Unavailable("the store did not answer in time"))

    def _stop_waiting(self) -> None:
        if self._is_waiting and self._metrics:
            self._metrics.change_waiting(-1)
            self._metrics.note_wait(time.monotonic() - self._came)
        self._is_waiting = False
