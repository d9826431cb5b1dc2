"""A socket of systemd: it is there before the service, and stays when that is restarted."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forum.config import Settings
from forum.environment import BadSetting
from forum.listening import reserved
from tests.support.load import LIMITLESS, Load
from tests.support.servers import FORUM_SERVE, environment
from tests.support.upgrades import SECONDS, Unit, activated, articles_in, await_that, faults, log_of

WITH_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""Starts a program with a descriptor as its socket."""


@dataclass
class Restart:
    """A unit that was restarted under load."""

    port: int
    log: str
    faults: dict[str, int]
    first_status: int
    """Of the request for which the service was started."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("activation")


@pytest.fixture(scope="module")
def unit(folder: Path) -> Iterator[Unit]:
    with activated(folder, BIND="192.0.2.1:8000", **LIMITLESS) as unit:
        yield unit


@pytest.fixture(scope="module")
def restart(unit: Unit, folder: Path) -> Restart:
    status = unit.call("GET", "/articles")[0]
    load = Load(unit.port, unit.sign_up(), patience=SECONDS)
    with load.running():
        load.await_more_writes(30)
        unit.service(folder).stop()
        load.await_more_writes(30)
    return Restart(unit.port, log_of(folder), faults(load, articles_in(folder), upgrades=1), status)


def test_the_first_connection_is_answered(restart: Restart) -> None:
    assert restart.first_status == 200


def test_a_restart_refuses_nobody_and_loses_nothing(restart: Restart) -> None:
    assert restart.faults == {}


def test_the_address_that_is_printed_is_that_of_the_socket(restart: Restart) -> None:
    assert f"The forum listens on http://127.0.0.1:{restart.port}, " in restart.log


def test_sigusr2_is_ignored(unit: Unit, restart: Restart, folder: Path) -> None:
    service = unit.service(folder)
    workers = service.workers()
    service.process.send_signal(signal.SIGUSR2)
    await_that(lambda: "SIGUSR2 is ignored: restart the unit" in log_of(folder), folder)
    assert service.workers() == workers


def test_a_socket_that_takes_no_connections_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as handed:
        handed.bind(("127.0.0.1", 0))
        result = subprocess.run(
            [sys.executable, "-c", WITH_SOCKET, str(handed.fileno()), *FORUM_SERVE],
            cwd=tmp_path,
            env=environment(),
            pass_fds=[handed.fileno()],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: LISTEN_FDS: the descriptor 3 takes no connections: ")


@pytest.mark.usefixtures("_no_settings")
def test_a_number_of_sockets_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "many")
    with pytest.raises(BadSetting, match="LISTEN_FDS"), reserved(Settings.from_environment()):
        pass
