"""Where a use case runs: the domain is synchronous, the server is not."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from forum.domain.errors import Unavailable

T = TypeVar("T")

_NICE = 10
"""Of threads that step back: a tenth of the processor time of a usual thread that wants the same processor."""


class Call(Protocol):
    """How a resource runs a use case without blocking the event loop."""

    async def __call__(self, use_case: Callable[..., T], *arguments: Any) -> T:
        """What the use case returns or raises; `Unavailable` where there is no room for it."""


class Lane:
    """A few threads of their own for some use cases, and a bounded wait for them."""

    def __init__(
        self, name: str, threads: int, patience: float, *, steps_back: bool = False
    ) -> None:
        """A call that gets none of the `threads` within `patience` seconds is refused.

        Threads that step back leave the processors to everybody else's, where these have work too.
        """
        self._free = asyncio.Semaphore(threads)
        self._threads = ThreadPoolExecutor(threads, name, _step_back if steps_back else None)
        self._patience = patience

    async def __call__(self, use_case: Callable[..., T], *arguments: Any) -> T:
        await self._enter()
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, use_case, *arguments)
        # Shielded: a client who goes away frees no thread that still works for him.
        running.add_done_callback(self._leave)
        return await asyncio.shield(running)

    def _leave(self, done: "asyncio.Future[Any]") -> None:
        self._free.release()
        if not done.cancelled():
            done.exception()  # Retrieved, or asyncio logs it where nobody waits for it any more.

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable from None

    def close(self) -> None:
        """Wait for what is running and end the threads."""
        self._threads.shutdown()


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
