"""Services that are started beside others, and go on when those have ended."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
import pytest

from tests.support.client import Outcome
from tests.support.load import CLIENTS, Load
from tests.support.operations import sections
from tests.support.servers import FORUM_SERVE, Server, environment, free_port

SECONDS = 30
"""For whatever a test waits for: a machine that has other things to do takes long to start Python.
"""

ACTIVATE = "systemd-socket-activate"

UNIT = 'while :; do (LISTEN_PID=$BASHPID exec "$@"); done'
"""What systemd does with a service and its socket: whenever one ends, the next one gets it."""


def log_of(folder: Path) -> str:
    return (folder / "server.log").read_text()


def await_that(is_so: Callable[[], object], folder: Path) -> None:
    """Wait until it is so; the log of the service in the folder says why it is not."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, log_of(folder)
        time.sleep(0.02)


class _Adopted:
    """A process that another one has started."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """0 where it has ended, however that was."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return 0
        return 0 if state == "Z" else None

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (timeout or SECONDS)
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or SECONDS)
            time.sleep(0.02)
        return 0

    def send_signal(self, sig: int) -> None:
        os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@contextmanager
def upgraded(server: Server, folder: Path, workers: int = 2) -> Iterator[Server]:
    """The service that SIGUSR2 starts beside that one, with all its workers ready."""
    before = {*server.workers()}
    as_documented(server, 0)
    await_that(lambda: {*server.workers()} - before, folder)
    [pid] = {*server.workers()} - before
    new = Server(_Adopted(pid), server.port)
    try:
        await_that(lambda: are_ready(new, folder, workers), folder)
        yield new
    finally:
        with suppress(ProcessLookupError):
            new.kill()


def as_documented(server: Server, number: int) -> None:
    """Type that line of the document about upgrades, with the service for the old one."""
    line = sections()["Upgrades"][number]
    subprocess.run(["bash", "-c", f"OLD={server.process.pid}; {line}"], check=True)


def are_ready(server: Server, folder: Path, workers: int = 2) -> bool:
    """Whether as many workers of the service say that they serve."""
    pids, log = server.workers(), log_of(folder)
    return len(pids) == workers and all(f"Worker ready (pid: {pid})" in log for pid in pids)


def failed_upgrade(server: Server, folder: Path) -> list[str]:
    """What is logged after SIGUSR2, where the master that it starts ends at once."""
    before = len(log_of(folder))
    server.process.send_signal(signal.SIGUSR2)
    await_that(lambda: "The other master has ended" in log_of(folder)[before:], folder)
    return log_of(folder)[before:].splitlines()


def faults(load: Load, present: list[tuple[int, str]], upgrades: int) -> dict[str, int]:
    """What as many upgrades did wrong, where these articles are present; empty if all is well.

    A kept-alive connection may be closed under its client, who sends the request again: so it must
    not have run.
    """
    found = load.faults(present, {Outcome.CLOSED: upgrades * CLIENTS})
    unanswered = load.unanswered(present)
    return found | ({"ran and was not answered": unanswered} if unanswered else {})


def articles_in(folder: Path) -> list[tuple[int, str]]:
    """The ids and titles in the database of a service in the folder."""
    with closing(apsw.Connection(str(folder / "data/forum.db"))) as connection:
        return connection.execute("SELECT id, title FROM articles").fetchall()


class Unit(Server):
    """A socket of systemd, and the service that gets it once a client has connected."""

    def service(self, folder: Path) -> Server:
        """The service that runs, with all its workers ready."""
        await_that(self.workers, folder)
        service = Server(_Adopted(self.workers()[-1]), self.port)
        await_that(lambda: are_ready(service, folder), folder)
        return service


@contextmanager
def activated(folder: Path, **settings: str) -> Iterator[Unit]:
    """A socket for a service in the folder, which is started by the first connection."""
    if not shutil.which(ACTIVATE) and "CI" not in os.environ:
        pytest.skip(f"{ACTIVATE} is not installed")
    port, variables = free_port(), environment(**settings)
    command = [ACTIVATE, f"--listen=127.0.0.1:{port}", *(f"--setenv={name}" for name in variables)]
    command += ["bash", "-c", UNIT, "unit", sys.executable, *FORUM_SERVE]
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
    try:
        # Its first line: from then on the socket is there.
        await_that(lambda: "Listening on" in log_of(folder), folder)
        yield Unit(process, port)
    finally:
        Unit(process, port).kill()
        process.wait()
