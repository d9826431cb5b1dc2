"""A pool of one thread whose calls are committed together where they wait together."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

from forum.domain.errors import Unavailable
from forum.http.dispatch import VERDICT, NoThreadFree, received
from forum.http.ports import PoolMetrics

P = ParamSpec("P")
T = TypeVar("T")

Together = Callable[[], AbstractContextManager[object]]
"""A block that begins when it is this thread's turn to write, however long that takes, and commits
at its end what was written inside. Where it raises, nothing of that was done.
"""

_MOST = 100
"""Calls that are committed together: other processes wait for all of them."""


class GroupCommit:
    """A `Dispatch` that waits for a lock, and for a disk, once for all calls that are here.

    What a call returns or raises is passed on when its whole group is committed; where that fails,
    the failure is. A call is not run if its time was over, or its client gone, before it began.
    """

    def __init__(
        self,
        name: str,
        max_wait: float,
        together: Together,
        *,
        metrics: PoolMetrics | None = None,
    ) -> None:
        """A request waits `max_wait` seconds in all."""
        self._name = name
        self._max_wait = max_wait
        self._together = together
        self._metrics = metrics
        self._waiting: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def __call__(self, use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        now = time.monotonic()
        seconds = received.get(now) + self._max_wait - now
        # What is logged there names the request, too.
        work = partial(copy_context().run, use_case, *arguments, **named)
        call = _Call(work, seconds, NoThreadFree(self._name), self._metrics)
        self._waiting.put(call)
        self._require_thread()
        try:
            await call.over
            return call.result()  # type: ignore[no-any-return]
        finally:
            call.leave()
            del call  # Its error has a traceback that holds this frame: a cycle.

    def close(self) -> None:
        """End the thread, for which a frozen process that holds the lock must not be waited."""
        self._waiting.put(None)
        if self._thread:
            self._thread.join(self._max_wait)

    def _require_thread(self) -> None:
        if self._thread is None:  # Not before: none survives the fork of a worker.
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while self._commit_group():
            pass

    def _commit_group(self) -> bool:
        """Wait for a call, run it and all others that are here. False at the end of the pool."""
        first = self._waiting.get()
        if first is None:
            return False
        group: list[_Call] = []
        try:
            with self._together():
                for call in self._all_from(first):
                    if call.begin():
                        group.append(call)
                        call.run()
        except Exception as error:  # noqa: BLE001  # those who wait raise it
            if not group and first.begin():
                group.append(first)
            for call in group:
                call.fail(error)
        if group:
            with suppress(RuntimeError):  # The loop has ended: nobody waits.
                group[0].loop.call_soon_threadsafe(_end, group)
        return True

    def _all_from(self, first: "_Call") -> Iterator["_Call"]:
        yield first
        with suppress(Empty):
            for _ in range(_MOST - 1):
                call = self._waiting.get_nowait()
                if call is None:
                    self._waiting.put(None)
                    return
                yield call


class _Call:
    """A use case that waits for its turn, and what becomes of it."""

    def __init__(
        self,
        work: Callable[[], Any],
        seconds: float,
        refusal: Exception,
        metrics: PoolMetrics | None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self.loop.create_future()
        self._work = work
        self._refusal = refusal
        self._metrics = metrics
        self._result: Any = None
        self._error: Exception | None = None
        self._turn = threading.Lock()
        """Whoever gets it decides: the thread that it runs, the loop that it does not."""
        self._came = time.monotonic()
        self._deadline = self._came + seconds
        self._timer = self.loop.call_later(max(0.0, seconds), self._expire)
        if metrics:
            metrics.change_waiting(1)

    def begin(self) -> bool:
        """In the thread: whether it is to be run; nobody else decides from now on."""
        if time.monotonic() >= self._deadline or not self._turn.acquire(blocking=False):
            return False
        self._note_wait()
        if self._metrics:
            self._metrics.change_running(1)
        return True

    def run(self) -> None:
        """In the thread, when it has begun."""
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001  # whoever waits raises it
            self._error = error

    def fail(self, error: Exception) -> None:
        """In the thread: all was taken back."""
        # Each has its own: one that is raised several times gathers the frames of all.
        self._error = Unavailable(error.reason) if isinstance(error, Unavailable) else error

    def end(self) -> None:
        """On the loop, when it has been run."""
        if self._metrics:
            self._metrics.change_running(-1)
        if self.over.done():
            self._error = None
        else:
            self.over.set_result(None)

    def result(self) -> Any:
        """On the loop, when it is over."""
        if self._error is None:
            return self._result
        try:
            raise self._error
        finally:
            self._error = None

    def leave(self) -> None:
        """On the loop: nobody waits for it any more."""
        self._timer.cancel()
        if self._turn.acquire(blocking=False):
            self._note_wait()

    def _expire(self) -> None:
        if self._turn.acquire(blocking=False):
            self._note_wait()
            self.over.set_exception(self._refusal)
        else:
            self._timer = self.loop.call_later(VERDICT, self._give_up)

    def _give_up(self) -> None:
        self.over.set_exception(Unavailable("the store did not answer in time"))

    def _note_wait(self) -> None:
        if self._metrics:
            self._metrics.change_waiting(-1)
            self._metrics.note_wait(time.monotonic() - self._came)


def _end(group: list[_Call]) -> None:
    for call in group:
        call.end()
