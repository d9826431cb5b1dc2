"""Servers in processes of their own, and the no-op among them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click

from benchmarks.calls import Call

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 2

_PATIENCE = 30
"""Seconds for which a server is awaited."""

_OPTIONS = [
    *("--http-parser", "python"),
    *("--asgi-loop", "uvloop"),
    *("--asgi-lifespan", "off"),
    *("--keep-alive", "5"),
    *("--log-level", "error"),
    "--no-control-socket",
]
"""As in `forum.server`."""


@dataclass(frozen=True, eq=False)
class Target:
    """A server that is measured."""

    name: str
    port: int
    articles: int = 0
    """How many it has."""
    calls: Mapping[str, Call] = field(default_factory=dict)
    """By name."""
    restore: Callable[[], None] = lambda: None
    """Removes what was written to it."""
    version: str = ""
    """Of a program that is not ours."""
    pid: int = 0
    """That of its master, where it is asked for."""

    def __str__(self) -> str:
        return f"{self.name} with {self.articles:,} articles" if self.articles else self.name


@contextmanager
def noop(folder: Path, workers: int = WORKERS) -> Iterator[Target]:
    """An application that does nothing, on the server that the forum has."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    gunicorn = [sys.executable, "-m", "gunicorn", "-k", "asgi", "-w", str(workers), *_OPTIONS]
    command = [*gunicorn, "-b", address, "benchmarks.noop:app"]
    home = folder / "no-op"
    home.mkdir()
    with running(command, home, port) as pid:
        yield Target("no-op", port, pid=pid)


@contextmanager
def running(command: Sequence[str], folder: Path, port: int, **variables: str) -> Iterator[int]:
    """The id of a process of this command, with its log in the folder; it ends with the block.

    Raises ClickException, with the last line of what it said, where it does not listen.
    """
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, env=environment(**variables), stdout=output, stderr=output
        ) as process,
    ):
        try:
            if not _listens(process, port):
                said = _last_line(log.read_text())
                raise click.ClickException(f"{folder.name} does not start: {said}")
            yield process.pid
        finally:
            process.terminate()


def run(command: Sequence[str], folder: Path, **variables: str) -> str:
    """What this command, which prepares a server, prints in the folder.

    Raises ClickException, with the last line of what it said, where it fails.
    """
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = _last_line(ended.stderr)
        raise click.ClickException(f"{folder.name} does not start: {said}")
    return ended.stdout


def processor_time(master: int) -> float:
    """Microseconds for which the workers of this master have had a processor."""
    workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    spent = (Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in workers)
    return sum(map(int, spent)) / 1000


def environment(**variables: str) -> dict[str, str]:
    """The environment of this process, with no settings of the forum but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FORUM_")}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def free_port() -> int:
    """One that the kernel has free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].removeprefix("Error: ")


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        time.sleep(0.05)
    return False
