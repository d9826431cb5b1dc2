import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import closing
from math import inf
from pathlib import Path

import apsw

from tests.support.client import Outcome
from tests.support.load import CLIENTS, LIMITLESS, Load
from tests.support.servers import FORUM_SERVE, Server, running, starting

HASTY = ("-m", "tests.support.hasty", "serve")

EARLY = (0, 0.002, 0.02, 0.04, 0.06)
"""Seconds after the birth of a worker at which it does not serve yet."""

FEW_SECONDS = 10
"""Less than the 30 after which gunicorn kills a worker that has not heard a signal."""


def await_new_worker(server: Server, known: list[int]) -> int:
    """The first worker that is none of those, as soon as there is one."""
    deadline = time.monotonic() + 20
    while not (new := set(server.workers()) - set(known)):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return min(new)


def is_gone_soon(pid: int) -> bool:
    deadline = time.monotonic() + FEW_SECONDS
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def survivors(folder: Path) -> list[tuple[int, str]]:
    """The articles of a database that is sound."""
    with closing(apsw.Connection(str(folder / "data/forum.db"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT id, title FROM articles").fetchall()


def drops(kills: int) -> dict[Outcome, float]:
    """What clients may see of so many kills: connections that end, and a store that waits for a
    lock.
    """
    ends = (Outcome.CLOSED, Outcome.UNREAD, Outcome.DROPPED, Outcome.UNAVAILABLE)
    return dict.fromkeys(ends, kills * CLIENTS)


def kill_workers(folder: Path, command: Sequence[str], kills: int) -> Load:
    """The load of a service that lost one worker or all of them, again and again."""
    chance = random.Random(1)
    with running(folder, command=command, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            for _ in range(kills):
                time.sleep(chance.uniform(0.4, 0.8))
                for pid in server.workers()[: chance.choice([1, None])]:
                    os.kill(pid, signal.SIGKILL)
                assert load.seconds_to_next_write() <= 5
            load.await_more_writes(1)
    print(load.report())
    return load


def kill_all(folder: Path, command: Sequence[str], kills: int, writes: int) -> Load:
    """The load of a service whose processes were killed at once, and which was started again."""
    load = Load(0, "")
    for _ in range(kills):
        with running(folder, command=command, **LIMITLESS) as server:
            load.port, load.token = server.port, load.token or server.sign_up()
            with load.running():
                load.await_more_writes(writes)
                for pid in [server.process.pid, *server.workers()]:
                    os.kill(pid, signal.SIGKILL)
    print(load.report())
    return load


def test_workers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    load = kill_workers(tmp_path, FORUM_SERVE, kills=10)
    assert load.faults(survivors(tmp_path), drops(10)) == {}


def test_workers_that_are_killed_lose_what_was_answered_too_early(tmp_path: Path) -> None:
    load = kill_workers(tmp_path, HASTY, kills=8)
    assert load.losses(survivors(tmp_path))["lost"] > 0


def test_a_service_that_is_killed_comes_back_by_itself(tmp_path: Path) -> None:
    load = kill_all(tmp_path, FORUM_SERVE, kills=3, writes=200)
    allowed = {**drops(3), Outcome.UNREACHABLE: inf}
    assert load.faults(survivors(tmp_path), allowed) == {}


def test_a_service_that_is_killed_loses_what_was_answered_too_early(tmp_path: Path) -> None:
    load = kill_all(tmp_path, HASTY, kills=4, writes=5)
    assert load.losses(survivors(tmp_path))["lost"] > 0


def test_every_request_that_workers_took_is_answered_before_they_are_renewed(
    tmp_path: Path,
) -> None:
    renewals = 3
    with running(tmp_path, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            for _ in range(renewals):
                load.await_more_writes(200)
                server.process.send_signal(signal.SIGHUP)
            load.await_more_writes(200)
    print(load.report())
    present = survivors(tmp_path)
    allowed = {Outcome.CLOSED: renewals * CLIENTS}
    assert (load.faults(present, allowed), load.unanswered(present)) == ({}, 0)


def test_every_request_that_was_taken_is_answered_before_the_service_stops(tmp_path: Path) -> None:
    with running(tmp_path, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_more_writes(300)
            status = server.stop()
    print(load.report())
    present = survivors(tmp_path)
    # What waits for a worker when nobody listens any more is lost unread, once for each client.
    allowed = {Outcome.CLOSED: CLIENTS, Outcome.UNREAD: CLIENTS, Outcome.UNREACHABLE: inf}
    assert (status, load.faults(present, allowed), load.unanswered(present)) == (0, {}, 0)


def test_a_stop_is_heard_by_a_worker_that_was_started_just_now(tmp_path: Path) -> None:
    statuses = []
    for delay in EARLY:
        with starting(tmp_path, WORKERS="1") as server:
            await_new_worker(server, [])
            time.sleep(delay)
            statuses.append(server.stop(seconds=FEW_SECONDS))
    assert statuses == [0] * len(EARLY)


def test_a_worker_hears_a_signal_that_comes_before_it_serves(tmp_path: Path) -> None:
    heard = []
    with running(tmp_path, WORKERS="1") as server:
        for delay in EARLY:
            known = server.workers()
            os.kill(known[0], signal.SIGKILL)
            new = await_new_worker(server, known)
            time.sleep(delay)
            os.kill(new, signal.SIGTERM)
            heard.append(is_gone_soon(new))
            await_new_worker(server, [new])
    assert heard == [True] * len(EARLY)
