"""Services that are started beside others, and go on when those have ended."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw

from tests.support.client import Outcome
from tests.support.load import CLIENTS, Load
from tests.support.servers import Server

SECONDS = 20
"""For whatever a test waits for."""


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
    server.process.send_signal(signal.SIGUSR2)
    await_that(lambda: {*server.workers()} - before, folder)
    [pid] = {*server.workers()} - before
    new = Server(_Adopted(pid), server.port)
    try:
        await_that(lambda: are_ready(new, folder, workers), folder)
        yield new
    finally:
        with suppress(ProcessLookupError):
            new.process.kill()


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


def faults(load: Load, folder: Path, upgrades: int) -> dict[str, int]:
    """What as many upgrades did wrong to their clients; empty if all is well.

    A kept-alive connection may be closed under its client, who sends the request again: so it must
    not have run.
    """
    with closing(apsw.Connection(str(folder / "data/forum.db"))) as connection:
        present = connection.execute("SELECT id, title FROM articles").fetchall()
    found = load.faults(present, {Outcome.CLOSED: upgrades * CLIENTS})
    unanswered = load.unanswered(present)
    return found | ({"ran and was not answered": unanswered} if unanswered else {})
