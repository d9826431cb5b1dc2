"""Where a use case runs: the domain is synchronous, the server is not."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol, TypeVar

from forum.domain.errors import Unavailable

T = TypeVar("T")

Within = Callable[[float], AbstractContextManager[object]]
"""Limits how long the store may be waited for, in seconds, by the thread that enters it."""

received: ContextVar[float] = ContextVar("received")
"""When the request that is being answered was whole, by the monotonic clock: its wait counts from there."""

_NICE = 10
"""Of threads that step back: a tenth of the processor time of a usual thread that wants the same processor."""

_VERDICT = 1.0
"""Seconds for which a call whose time is over is still awaited: so long a store may take to call it off."""


class Call(Protocol):
    """How a resource runs a use case without blocking the event loop."""

    async def __call__(self, use_case: Callable[..., T], *arguments: Any) -> T:
        """What the use case returns or raises; `Unavailable` where there is no room for it."""


class Lane:
    """A few threads of their own for some use cases, and a bounded wait for them."""

    def __init__(
        self, name: str, threads: int, timeout: float, within: Within, *, steps_back: bool = False
    ) -> None:
        """A request waits `timeout` seconds in all, for one of the `threads` and for the store.

        A call that gets no thread by then is refused; one that has a thread is run `within` what is
        left. Threads that step back leave the processors to everybody else's, where these have work too.
        """
        self._free = asyncio.Semaphore(threads)
        self._threads = ThreadPoolExecutor(threads, name, _step_back if steps_back else None)
        self._timeout = timeout
        self._within = within

    async def __call__(self, use_case: Callable[..., T], *arguments: Any) -> T:
        deadline = received.get(time.monotonic()) + self._timeout
        await self._enter(deadline)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, self._run, deadline, use_case, arguments)
        over = loop.create_future()
        running.add_done_callback(partial(self._leave, over))
        timer = loop.call_later(_seconds_to(deadline) + _VERDICT, _give_up, over)
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
            raise Unavailable from None

    def _run(self, deadline: float, use_case: Callable[..., T], arguments: Iterable[Any]) -> T:
        with self._within(_seconds_to(deadline)):
            return use_case(*arguments)

    def _leave(self, over: "asyncio.Future[None]", running: "asyncio.Future[Any]") -> None:
        self._free.release()
        if not running.cancelled():
            running.exception()  # Retrieved, or asyncio logs it where its client has gone away.
        if not over.done():
            over.set_result(None)

    def close(self) -> None:
        """Wait for what is running and end the threads."""
        self._threads.shutdown()


def _give_up(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_exception(Unavailable())


def _seconds_to(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _step_back() -> None:
    if sys.platform == "linux":  # Elsewhere it is the whole process that has a priority.
        with suppress(OSError):  # A thread that may not step back still works.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


async def call_at_once(use_case: Callable[..., T], *arguments: Any) -> T:
    """Run on the event loop itself: for what takes microseconds and cannot block."""
    return use_case(*arguments)


class Lanes:
    """A `Call` that sends each use case down a lane of its own choice."""

    def __init__(self, lanes: Mapping[Callable[..., Any], Call], close: Iterable[Lane]) -> None:
        """Every use case needs a way; the lanes to `close` are those with threads."""
        self._lanes = lanes
        self._close = close

    async def __call__(self, use_case: Callable[..., T], *arguments: Any) -> T:
        return await self._lanes[use_case](use_case, *arguments)

    def close(self) -> None:
        """Wait for what is running and end the threads."""
        for lane in self._close:
            lane.close()
