"""Calls that are committed together where they wait together."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

from forum.http.calls import Call
from forum.http.dispatch import NoThreadFree, received
from forum.http.ports import PoolMetrics

P = ParamSpec("P")
T = TypeVar("T")

Together = Callable[[], AbstractContextManager[AbstractContextManager[object]]]
"""A block that begins when it is this thread's turn to write, however long that takes, and commits
at its end what was written inside. Where it raises, nothing of that was done.

What it gives is a block in which another thread writes into it, while this one waits.
"""

_MOST = 100
"""Calls that are committed together: other processes wait for all of them."""

_PAUSE = 0.01
"""Seconds between two looks at a thread that ends."""


class GroupCommit:
    """A `Dispatch` that waits for a lock, and for a disk, once for all calls that are here.

    A thread waits for both. The calls themselves are run on the event loop, where nobody takes the
    interpreter from them: other processes wait for them. What a call returns or raises is passed on
    when its whole group is committed; where that fails, the failure is. A call is not run if its
    time was over, or its client gone, before it began.
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
        self._waiting: SimpleQueue[Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._on_loop: Callable[[], None] | None = None
        """What the thread waits for."""

    async def __call__(self, use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        now = time.monotonic()
        seconds = received.get(now) + self._max_wait - now
        # What is logged there names the request, too.
        work = partial(copy_context().run, use_case, *arguments, **named)
        call = Call(work, seconds, NoThreadFree(self._name), self._metrics)
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
        end = time.monotonic() + self._max_wait
        while self._thread and self._thread.is_alive() and time.monotonic() < end:
            self._run_group()  # The loop, which is closing, does not come to it any more.
            self._thread.join(_PAUSE)

    def _require_thread(self) -> None:
        if self._thread is None:  # Not before: none survives the fork of a worker.
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        with suppress(RuntimeError):  # The loop has ended: nobody waits.
            while self._commit_group():
                pass

    def _commit_group(self) -> bool:
        """Wait for a call, run it and all others that are here. False at the end of the pool."""
        first = self._waiting.get()
        if first is None:
            return False
        group: list[Call] = []
        failure: Exception | None = None
        try:
            with self._together() as within:
                self._run_on_loop(first, group, within)
        except Exception as error:  # noqa: BLE001  # those who wait raise it
            failure = error
            group = group or [first]
        first.loop.call_soon_threadsafe(_end, group, failure)
        return True

    def _run_on_loop(
        self, first: Call, group: list[Call], within: AbstractContextManager[object]
    ) -> None:
        over: Future[None] = Future()

        def run() -> None:
            with _answered(over), within:
                for call in self._all_from(first):
                    if call.begin():
                        group.append(call)
                        call.run()

        self._on_loop = run
        first.loop.call_soon_threadsafe(self._run_group)
        over.result()

    def _run_group(self) -> None:
        run, self._on_loop = self._on_loop, None
        if run:
            run()

    def _all_from(self, first: Call) -> Iterator[Call]:
        yield first
        with suppress(Empty):
            for _ in range(_MOST - 1):
                call = self._waiting.get_nowait()
                if call is None:
                    self._waiting.put(None)
                    return
                yield call


@contextmanager
def _answered(over: "Future[None]") -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  # who waits raises it
        over.set_exception(error)
    else:
        over.set_result(None)


def _end(group: list[Call], failure: Exception | None) -> None:
    for call in group:
        call.end(failure)
