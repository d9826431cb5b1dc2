"""Where a use case runs: the domain is synchronous, the server is not."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from inspect import getmembers, ismethod
from typing import Any, ParamSpec, Protocol, TypeVar

from forum.domain.errors import Unavailable
from forum.http.ports import PoolMetrics

P = ParamSpec("P")
T = TypeVar("T")

UseCase = Callable[..., Any]
"""A public method of a service."""

Within = Callable[[float], AbstractContextManager[object]]
"""Limits how long the store may be waited for, in seconds, by the thread that enters it."""

received: ContextVar[float] = ContextVar("received")
"""When the request that is being answered was whole, by the monotonic clock: its wait counts from
there.
"""

_NICE = 10
"""How much nicer than their process threads with a low priority are: they get a tenth of the
processor time of a usual one that wants the same processor.
"""

VERDICT = 1.0
"""Seconds for which a call whose time is over is still awaited: so long a store may take to call it
off.
"""


class NoThreadFree(Unavailable):
    """Too many calls wait for a thread of the same pool."""

    def __init__(self, pool: str) -> None:
        super().__init__(f"no thread for {pool} was free in time")


class Dispatch(Protocol):
    """How a resource runs a use case without blocking the event loop."""

    async def __call__(self, use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the use case returns or raises; `Unavailable` where there is no room for it."""


class Pool(Dispatch, Protocol):
    """A `Dispatch` that has threads."""

    def close(self) -> None:
        """Wait for what is running and end the threads."""


class BoundedPool:
    """A few threads for some use cases, and a bounded wait for them."""

    def __init__(
        self,
        name: str,
        threads: int,
        max_wait: float,
        within: Within,
        *,
        low_priority: bool = False,
        metrics: PoolMetrics | None = None,
    ) -> None:
        """A request waits `max_wait` seconds in all, for one of the `threads` and for the store.

        A call that gets no thread by then is refused; one that has a thread is run `within` what is
        left. Threads with a low priority leave the processors to all others that have work too.
        """
        self._name = name
        self._metrics = metrics
        self._free = asyncio.Semaphore(threads)
        self._threads = ThreadPoolExecutor(threads, name, _lower_priority if low_priority else None)
        self._max_wait = max_wait
        self._within = within

    async def __call__(self, use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        deadline = received.get(time.monotonic()) + self._max_wait
        if self._metrics:
            await self._enter_noted(deadline, self._metrics)
        else:
            await self._enter(deadline)
        loop = asyncio.get_running_loop()
        work = partial(use_case, *arguments, **named)
        context = copy_context()  # What is logged there names the request, too.
        running = loop.run_in_executor(self._threads, context.run, self._run, deadline, work)
        over = loop.create_future()
        running.add_done_callback(partial(self._leave, over))
        timer = loop.call_later(_seconds_to(deadline) + VERDICT, _give_up, over)
        try:
            # Only the wait is cancelled with its client: a thread that still works is not free.
            await over
            return running.result()
        finally:
            timer.cancel()
            del running, over  # They hold the error, whose traceback holds this frame: a cycle.

    async def _enter(self, deadline: float) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(_seconds_to(deadline)):
                await self._free.acquire()
        except TimeoutError:
            raise NoThreadFree(self._name) from None

    async def _enter_noted(self, deadline: float, metrics: PoolMetrics) -> None:
        began = time.monotonic()
        metrics.change_waiting(1)
        try:
            await self._enter(deadline)
        finally:
            metrics.change_waiting(-1)
            metrics.note_wait(time.monotonic() - began)
        metrics.change_running(1)

    def _run(self, deadline: float, work: Callable[[], T]) -> T:
        with self._within(_seconds_to(deadline)):
            return work()

    def _leave(self, over: "asyncio.Future[None]", running: "asyncio.Future[Any]") -> None:
        self._free.release()
        if self._metrics:
            self._metrics.change_running(-1)
        if not running.cancelled():
            running.exception()  # Retrieved, or asyncio logs it where its client has gone away.
        if not over.done():
            over.set_result(None)

    def close(self) -> None:
        """Wait for what is running and end the threads."""
        self._threads.shutdown()


def _give_up(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_exception(Unavailable("the store did not answer in time"))


def _seconds_to(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _lower_priority() -> None:
    if sys.platform == "linux":  # Elsewhere it is the whole process that has a priority.
        with suppress(OSError):  # A thread that may not lower its priority still works.
            usual = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), usual + _NICE)


async def run_inline(use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run on the event loop itself: for what takes microseconds and cannot block."""
    return use_case(*arguments, **named)


class Dispatcher:
    """A `Dispatch` that runs each use case where its row of the schedule says."""

    def __init__(
        self,
        schedule: Mapping[UseCase, Dispatch],
        *,
        services: Iterable[object],
        close: Iterable[Pool],
    ) -> None:
        """The pools to `close` are those of the schedule.

        Raises TypeError where a public method of the services has no row.
        """
        for service in services:
            _require_rows(service, schedule)
        self._schedule = schedule
        self._close = close

    def __call__(
        self, use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        # No coroutine around a coroutine: every request passes here.
        return self._schedule[use_case](use_case, *arguments, **named)

    def close(self) -> None:
        """Wait for what is running and end the threads."""
        for pool in self._close:
            pool.close()


def _require_rows(service: object, schedule: Mapping[UseCase, Dispatch]) -> None:
    for name, use_case in getmembers(service, ismethod):
        if not name.startswith("_") and use_case not in schedule:
            raise TypeError(f"the schedule has no row for {use_case.__qualname__}")
