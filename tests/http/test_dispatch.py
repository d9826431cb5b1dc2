import asyncio
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace

import pytest
from falcon.testing import ASGIConductor, Result

from forum.config import Settings
from forum.domain.errors import Unavailable
from forum.http.dispatch import BoundedPool, Dispatcher, run_inline
from forum.main import build
from forum.storage import open_store, prepare
from tests.conftest import CHEAP_HASHER
from tests.http.conftest import PASSWORD, with_plain_headers


class Work:
    """Takes until it is let go."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def __call__(self) -> str:
        self.has_begun.set()
        self.may_end.wait(10)
        return "done"


class BusyHasher:
    """Works at the first password until it is let go."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def hash(self, password: str) -> str:
        return CHEAP_HASHER.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        self._work()
        return CHEAP_HASHER.verify(password_hash, password)

    def is_outdated(self, password_hash: str) -> bool:
        return False


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.may_end.set()


@pytest.fixture
def pool() -> Iterator[BoundedPool]:
    pool = BoundedPool("narrow", 1, 0.05, nullcontext)
    yield pool
    pool.close()


def test_a_call_that_gets_no_thread_in_time_is_refused(pool: BoundedPool, work: Work) -> None:
    async def scenario() -> str:
        first = asyncio.create_task(pool(work))
        await asyncio.to_thread(work.has_begun.wait)
        with pytest.raises(Unavailable):
            await pool(str)
        work.may_end.set()
        return await first

    assert asyncio.run(scenario()) == "done"


def test_a_client_who_goes_away_frees_no_thread_that_still_works(
    pool: BoundedPool, work: Work
) -> None:
    async def scenario() -> None:
        first = asyncio.create_task(pool(work))
        await asyncio.to_thread(work.has_begun.wait)
        first.cancel()
        with pytest.raises(Unavailable):
            await pool(str)

    asyncio.run(scenario())


def test_a_thread_is_free_again_after_a_call_that_failed(pool: BoundedPool) -> None:
    async def scenario() -> str:
        with pytest.raises(ZeroDivisionError):
            await pool(divmod, 1, 0)
        return await pool(str, 7)

    assert asyncio.run(scenario()) == "7"


def test_a_failure_that_nobody_waits_for_is_not_logged(pool: BoundedPool, work: Work) -> None:
    complaints: list[object] = []

    def fail() -> None:
        work()
        raise Unavailable

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        first = asyncio.create_task(pool(fail))
        await asyncio.to_thread(work.has_begun.wait)
        first.cancel()
        work.may_end.set()
        with suppress(asyncio.CancelledError):
            await first
        await pool(str)
        del first
        gc.collect()

    asyncio.run(scenario())
    assert complaints == []


class Service:
    """With two use cases."""

    def scheduled(self) -> None: ...

    def forgotten(self) -> None: ...


def test_a_use_case_without_a_row_is_noticed_when_the_service_is_built() -> None:
    service = Service()
    with pytest.raises(TypeError, match=r"Service\.forgotten"):
        Dispatcher({service.scheduled: run_inline}, services=[service], close=[])


@pytest.mark.skipif(sys.platform != "linux", reason="only there threads have priorities")
@pytest.mark.parametrize(("low_priority", "lower"), [(True, 10), (False, 0)])
def test_threads_of_low_priority_give_way(low_priority: bool, lower: int) -> None:
    pool = BoundedPool("pool", 1, 1, nullcontext, low_priority=low_priority)

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def scenario() -> int:
        return await pool(priority)

    assert asyncio.run(scenario()) == min(19, priority() + lower)
    pool.close()


@pytest.fixture
def busy(settings: Settings, work: Work) -> ASGIConductor:
    """The service with room for one hash, which does not wait long for another."""
    impatient = replace(settings, store_timeout=0.1)
    prepare(impatient)
    return ASGIConductor(
        with_plain_headers(build(impatient, open_store(impatient), hasher=BusyHasher(work)))
    )


async def log_in(forum: ASGIConductor) -> Result:
    credentials = {"username": "alice#1", "password": PASSWORD}
    result: Result = await forum.simulate_post("/login", json=credentials)
    return result


def test_while_passwords_are_hashed_others_are_told_to_wait(
    busy: ASGIConductor, work: Work
) -> None:
    async def scenario() -> tuple[Result, Result]:
        async with busy as forum:
            first = asyncio.create_task(log_in(forum))
            await asyncio.to_thread(work.has_begun.wait)
            second = await log_in(forum)
            work.may_end.set()
            return await first, second

    first, second = asyncio.run(scenario())
    assert (first.status_code, second.status_code) == (401, 503)
    assert int(second.headers["retry-after"]) > 0


def test_while_passwords_are_hashed_readers_notice_nothing(busy: ASGIConductor, work: Work) -> None:
    async def scenario() -> tuple[int, bool]:
        async with busy as forum:
            first = asyncio.create_task(log_in(forum))
            await asyncio.to_thread(work.has_begun.wait)
            status = (await forum.simulate_get("/articles")).status_code
            is_done = first.done()
            work.may_end.set()
            await first
            return status, is_done

    assert asyncio.run(scenario()) == (200, False)
