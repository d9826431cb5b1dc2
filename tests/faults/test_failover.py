import os
import signal
import time
from collections.abc import Iterator
from math import inf
from pathlib import Path

import psycopg
import pytest

from tests.conftest import SECRET
from tests.support.client import Outcome
from tests.support.clusters import Cluster, empty_cluster, server_folder, standby_of
from tests.support.load import LIMITLESS, Load
from tests.support.servers import running

WRITES = 5_000
LAG = 1.0
"""Seconds for which the standby receives nothing before the primary dies."""

ALLOWED = {Outcome.UNAVAILABLE: inf}
"""The service itself lives all the time: it answers everybody, and drops nobody."""


@pytest.fixture
def primary() -> Iterator[Cluster]:
    with server_folder() as folder, empty_cluster(folder / "primary") as cluster:
        yield cluster


@pytest.fixture
def standby(primary: Cluster) -> Iterator[Cluster]:
    with standby_of(primary, "s1") as cluster:
        yield cluster


def synchronise(primary: Cluster, commit: str) -> None:
    """Let commits wait for the standby, or, as the control, for nobody."""
    primary.configure(synchronous_standby_names="FIRST 1 (s1)", synchronous_commit=commit)
    primary.reload()
    deadline = time.monotonic() + 20
    with psycopg.connect(primary.url, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        while connection.execute(query).fetchone() != (1,):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def receiver(standby: Cluster) -> int:
    """The process of the standby that receives what the primary writes."""
    for pid in standby.processes():
        if b"walreceiver" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("nothing receives")


def kill_behind(primary: Cluster, standby: Cluster) -> None:
    """End the primary as a power failure does, with a standby that has not heard the last of it."""
    pid = receiver(standby)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(LAG)
    primary.kill()
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    standby.promote()


def survivors(cluster: Cluster) -> list[tuple[int, str]]:
    with psycopg.connect(cluster.url) as connection:
        return connection.execute("SELECT id, title FROM articles").fetchall()


def fail_over(primary: Cluster, standby: Cluster, folder: Path, commit: str) -> tuple[Load, float]:
    """The load, and the outage after the promotion in seconds."""
    synchronise(primary, commit)
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = f"postgresql://forum@{hosts}/postgres?target_session_attrs=read-write"
    with running(folder, DATABASE_URL=url, SECRET_KEY=SECRET, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_writes(WRITES // 2)
            kill_behind(primary, standby)
            outage = load.seconds_to_next_write()
            load.await_writes(WRITES)
    lost = load.losses(survivors(standby))["lost"]
    print(f"{commit}: outage {outage:.2f} s, {lost} lost; {load.report()}")
    return load, outage


def test_nothing_that_was_acknowledged_is_lost_when_the_primary_dies(
    primary: Cluster, standby: Cluster, tmp_path: Path
) -> None:
    load, outage = fail_over(primary, standby, tmp_path, "on")
    assert load.faults(survivors(standby), ALLOWED) == {}
    assert outage <= 5


def test_the_control_loses_something(primary: Cluster, standby: Cluster, tmp_path: Path) -> None:
    load, _ = fail_over(primary, standby, tmp_path, "local")
    assert load.losses(survivors(standby))["lost"] > 0
