"""Upgrades under a load that is long enough to be sure, and a restart as their control."""

from contextlib import ExitStack
from pathlib import Path

from tests.support.client import Outcome
from tests.support.load import LIMITLESS, Load
from tests.support.servers import running
from tests.support.upgrades import SECONDS, activated, faults, upgraded

UPGRADES = 3
REQUESTS = 3_000


def test_sigusr2_refuses_nobody_and_loses_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, **LIMITLESS))
        load = Load(server.port, server.sign_up())
        with load.running():
            for _ in range(UPGRADES):
                load.await_more_writes(200)
                new = stack.enter_context(upgraded(server, tmp_path))
                load.await_more_writes(100)
                server.stop()
                server = new
            load.await_more_writes(200)
    print(load.report())
    assert faults(load, tmp_path, UPGRADES) == {}
    assert load.outcomes.total() >= REQUESTS


def test_restarts_behind_a_socket_of_systemd_refuse_nobody_and_lose_nothing(
    tmp_path: Path,
) -> None:
    with activated(tmp_path, **LIMITLESS) as unit:
        load = Load(unit.port, unit.sign_up(), patience=SECONDS)
        with load.running():
            for _ in range(UPGRADES):
                load.await_more_writes(200)
                unit.service(tmp_path).stop()
            load.await_more_writes(200)
    print(load.report())
    assert faults(load, tmp_path, UPGRADES) == {}
    assert load.outcomes.total() >= REQUESTS


def test_a_stop_and_a_start_refuse_somebody(tmp_path: Path) -> None:
    with running(tmp_path, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_more_writes(200)
            server.stop()
            with running(tmp_path, port=server.port, **LIMITLESS):
                load.await_more_writes(200)
    print(load.report())
    assert load.total(Outcome.UNREACHABLE) > 0
