import os
import random
import signal
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

import apsw

from tests.faults.load import LIMITLESS, Load
from tests.servers import running

SECONDS = 10


def workers(master: int) -> list[int]:
    command = ["pgrep", "-P", str(master)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(pid) for pid in result.stdout.split()]


def examine(path: Path, load: Load) -> dict[str, int]:
    with closing(apsw.Connection(str(path))) as connection:
        present = connection.execute("SELECT id, title FROM articles").fetchall()
        verdict = connection.execute("PRAGMA integrity_check").fetchall()
    return {**load.problems(present), "integrity": int(verdict != [("ok",)])}


def test_workers_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    with running(tmp_path, **LIMITLESS) as server:
        load, kills = Load(server.port, server.sign_up()), 0
        with load.running():
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                time.sleep(chance.uniform(0.4, 0.9))
                for pid in chance.sample(workers(server.process.pid), 1):
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
                assert load.seconds_to_next_write() <= 5
    problems = examine(tmp_path / "data/forum.db", load)
    print(f"{kills} kills, {len(load.acknowledged)} acknowledged, {load.statuses}, {problems}")
    assert (kills > 5, set(problems.values())) == (True, {0}), problems


def test_a_service_that_is_killed_comes_back_by_itself(tmp_path: Path) -> None:
    token, problems = "", []
    for _ in range(3):
        with running(tmp_path, **LIMITLESS) as server:
            token = token or server.sign_up()
            load = Load(server.port, token)
            with load.running():
                load.await_writes(300)
                for pid in [server.process.pid, *workers(server.process.pid)]:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        found = examine(tmp_path / "data/forum.db", load)
        problems.append(found["lost"] + found["wrong id"] + found["integrity"])
    assert problems == [0, 0, 0]


def unanswered(path: Path, load: Load) -> int:
    """Writes that were done for clients who never heard of it."""
    with closing(apsw.Connection(str(path))) as connection:
        [(present,)] = connection.execute("SELECT count(*) FROM articles").fetchall()
    return int(present) - len(load.acknowledged)


def test_every_request_that_workers_took_is_answered_before_they_are_renewed(
    tmp_path: Path,
) -> None:
    database = tmp_path / "data/forum.db"
    with running(tmp_path, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            for _ in range(3):
                load.await_writes(len(load.acknowledged) + 500)
                server.process.send_signal(signal.SIGHUP)
            load.await_writes(len(load.acknowledged) + 500)
    problems = examine(database, load) | {"unanswered": unanswered(database, load)}
    print(f"{len(load.acknowledged)} acknowledged, {load.statuses}, {problems}")
    assert (set(problems.values()), set(load.statuses)) == ({0}, {200}), problems


def test_every_request_that_was_taken_is_answered_before_the_service_stops(tmp_path: Path) -> None:
    database = tmp_path / "data/forum.db"
    with running(tmp_path, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_writes(500)
            status = server.stop()
    problems = examine(database, load) | {"unanswered": unanswered(database, load)}
    assert (status, set(problems.values()), set(load.statuses)) == (0, {0}, {200}), problems
