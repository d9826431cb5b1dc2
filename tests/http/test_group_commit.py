"""Calls that wait together are run and committed together."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest

from forum.domain.errors import Unavailable
from forum.http.dispatch import NoThreadFree
from forum.http.group_commit import GroupCommit


class Lock:
    """What a group waits for at its beginning, and writes at its end."""

    def __init__(self) -> None:
        self.is_free = threading.Event()
        self.is_wanted = threading.Event()
        self.groups: list[list[str]] = []
        self.failure: Exception | None = None
        self.fails_at_once = False
        self._group: list[str] = []
        self._is_open = False

    @contextmanager
    def together(self) -> Iterator[AbstractContextManager[object]]:
        self.is_wanted.set()
        self.is_free.wait(10)
        if self.fails_at_once and self.failure:
            raise self.failure
        self._group = []
        yield self._writing()
        if self.failure:
            raise self.failure
        self.groups.append(self._group)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._is_open = True
        try:
            yield
        finally:
            self._is_open = False

    def write(self, name: str) -> str:
        """A call."""
        assert self._is_open
        self._group.append(name)
        return name.upper()


@pytest.fixture
def lock() -> Iterator[Lock]:
    lock = Lock()
    lock.is_free.set()
    yield lock
    lock.is_free.set()


@pytest.fixture
def pool(lock: Lock) -> Iterator[GroupCommit]:
    pool = GroupCommit("writing", 5, lock.together)
    yield pool
    pool.close()


async def gathered(lock: Lock, calls: list[Callable[[], Awaitable[object]]]) -> list[object]:
    """What becomes of calls that all came while another process held the lock."""
    lock.is_free.clear()
    tasks = [asyncio.ensure_future(call()) for call in calls]
    await asyncio.to_thread(lock.is_wanted.wait, 10)
    await asyncio.sleep(0)
    lock.is_free.set()
    return list(await asyncio.gather(*tasks, return_exceptions=True))


def test_what_waits_together_is_committed_together(pool: GroupCommit, lock: Lock) -> None:
    calls = [lambda name=name: pool(lock.write, name) for name in "abc"]
    assert asyncio.run(gathered(lock, calls)) == ["A", "B", "C"]
    assert lock.groups == [["a", "b", "c"]]


def test_what_comes_later_is_committed_by_itself(pool: GroupCommit, lock: Lock) -> None:
    async def scenario() -> list[str]:
        return [await pool(lock.write, name) for name in "ab"]

    assert asyncio.run(scenario()) == ["A", "B"]
    assert lock.groups == [["a"], ["b"]]


def test_one_that_fails_fails_alone(pool: GroupCommit, lock: Lock) -> None:
    calls = [lambda: pool(lock.write, "a"), lambda: pool(divmod, 1, 0)]
    result, error = asyncio.run(gathered(lock, calls))
    assert (result, type(error), lock.groups) == ("A", ZeroDivisionError, [["a"]])


def test_a_commit_that_fails_fails_for_all_of_its_group_and_for_no_other(
    pool: GroupCommit, lock: Lock
) -> None:
    async def scenario() -> tuple[list[object], str]:
        lock.failure = Unavailable("the disk is full")
        calls = [lambda name=name: pool(lock.write, name) for name in "ab"]
        failed = await gathered(lock, calls)
        lock.failure = None
        return failed, await pool(lock.write, "c")

    (first, second), later = asyncio.run(scenario())
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    assert first is not second
    assert (first.reason, second.reason, later) == ("the disk is full",) * 2 + ("C",)


def test_a_failure_before_the_group_begins_is_the_first_ones(pool: GroupCommit, lock: Lock) -> None:
    async def scenario() -> str:
        lock.failure, lock.fails_at_once = Unavailable("no database"), True
        with pytest.raises(Unavailable, match="no database"):
            await pool(lock.write, "a")
        lock.failure = None
        return await pool(lock.write, "b")

    assert asyncio.run(scenario()) == "B"


def test_a_call_whose_time_is_over_before_its_turn_is_refused_and_not_run(lock: Lock) -> None:
    pool = GroupCommit("writing", 0.05, lock.together)

    async def scenario() -> None:
        lock.is_free.clear()
        with pytest.raises(NoThreadFree):
            await pool(lock.write, "late")
        lock.is_free.set()
        with suppress(Unavailable):  # on a busy machine its time is over, too
            await pool(lock.write, "next")

    asyncio.run(scenario())
    pool.close()
    assert "late" not in [name for group in lock.groups for name in group]


def test_a_call_whose_client_has_gone_is_not_run(pool: GroupCommit, lock: Lock) -> None:
    async def scenario() -> None:
        lock.is_free.clear()
        gone = asyncio.create_task(pool(lock.write, "gone"))
        await asyncio.to_thread(lock.is_wanted.wait, 10)
        gone.cancel()
        await asyncio.wait([gone])
        lock.is_free.set()
        await pool(lock.write, "next")

    asyncio.run(scenario())
    assert [name for group in lock.groups for name in group] == ["next"]


def test_a_lock_that_is_never_free_holds_up_no_end(lock: Lock) -> None:
    pool = GroupCommit("writing", 0.05, lock.together)

    async def scenario() -> None:
        lock.is_free.clear()
        with pytest.raises(NoThreadFree):
            await pool(lock.write, "a")

    asyncio.run(scenario())
    pool.close()
    assert pool._thread
    assert pool._thread.is_alive()


async def last_of(pool: GroupCommit, lock: Lock, close: Callable[[], Awaitable[None]]) -> str:
    """What becomes of a call that still waits for the lock when the pool is closed."""
    lock.is_free.clear()
    last = asyncio.create_task(pool(lock.write, "last"))
    await asyncio.to_thread(lock.is_wanted.wait, 10)
    threading.Timer(0.01, lock.is_free.set).start()
    await close()
    return await last


def test_the_end_of_the_pool_lets_what_waits_finish(lock: Lock) -> None:
    pool = GroupCommit("writing", 5, lock.together)

    async def close() -> None:
        await asyncio.to_thread(pool.close)

    assert asyncio.run(last_of(pool, lock, close)) == "LAST"
    assert pool._thread
    assert not pool._thread.is_alive()


def test_a_loop_that_is_closing_runs_what_waits_for_it(lock: Lock) -> None:
    pool = GroupCommit("writing", 5, lock.together)

    async def close() -> None:
        pool.close()

    assert asyncio.run(last_of(pool, lock, close)) == "LAST"


def test_calls_are_run_on_the_loop(pool: GroupCommit) -> None:
    async def scenario() -> tuple[int, int]:
        return await pool(threading.get_ident), threading.get_ident()

    there, here = asyncio.run(scenario())
    assert there == here


def test_a_group_that_cannot_write_fails(lock: Lock) -> None:
    @contextmanager
    def together() -> Iterator[AbstractContextManager[object]]:
        yield failing()

    @contextmanager
    def failing() -> Iterator[None]:
        raise Unavailable("nothing can be written")
        yield

    pool = GroupCommit("writing", 5, together)

    async def scenario() -> None:
        with pytest.raises(Unavailable, match="nothing can be written"):
            await pool(lock.write, "a")

    asyncio.run(scenario())
    pool.close()


class Body:
    """What a call holds."""

    def raise_it(self) -> None:
        raise Unavailable

    def keep(self) -> None:
        pass


@pytest.mark.parametrize("use_case", [Body.raise_it, Body.keep])
def test_nothing_of_a_call_survives_it(
    pool: GroupCommit, use_case: Callable[[Body], object]
) -> None:
    async def scenario() -> list[object]:
        bodies = [Body() for _ in range(3)]
        left = [weakref.ref(body) for body in bodies]
        while bodies:
            with suppress(Unavailable):
                await pool(use_case, bodies.pop())
        await pool(str)  # The thread waits for the next.
        return [each() for each in left]

    gc.disable()
    try:
        assert asyncio.run(scenario()) == [None] * 3
    finally:
        gc.enable()


class Metrics:
    """Counts as `PoolMetrics` does."""

    def __init__(self) -> None:
        self.waiting = self.running = self.waits = 0

    def change_waiting(self, by: int) -> None:
        self.waiting += by

    def change_running(self, by: int) -> None:
        self.running += by

    def note_wait(self, seconds: float) -> None:
        self.waits += 1


def test_who_waits_and_who_runs_is_counted(lock: Lock) -> None:
    metrics, seen = Metrics(), list[tuple[int, int]]()
    pool = GroupCommit("writing", 0.2, lock.together, metrics=metrics)

    async def scenario() -> None:
        calls = [lambda: pool(lambda: seen.append((metrics.waiting, metrics.running)))] * 2
        await gathered(lock, calls)
        lock.is_free.clear()
        with pytest.raises(NoThreadFree):
            await pool(lock.write, "late")
        lock.is_free.set()
        await asyncio.to_thread(pool.close)

    asyncio.run(scenario())
    assert seen == [(1, 1), (0, 2)]
    assert (metrics.waiting, metrics.running, metrics.waits) == (0, 0, 3)


def test_who_never_ran_is_not_counted_as_running(lock: Lock) -> None:
    metrics = Metrics()
    pool = GroupCommit("writing", 5, lock.together, metrics=metrics)
    lock.failure, lock.fails_at_once = Unavailable("no database"), True

    async def scenario() -> None:
        with pytest.raises(Unavailable, match="no database"):
            await pool(lock.write, "a")

    asyncio.run(scenario())
    pool.close()
    assert (metrics.waiting, metrics.running, metrics.waits) == (0, 0, 1)
