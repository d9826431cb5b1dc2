"""The service as an operator starts it: a process of its own, reached over real sockets."""

import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from forum.cli import main

ROOT = Path(__file__).resolve().parents[2]
"""Where the program is."""

PASSWORD = "Password#1"


class Process(Protocol):
    """What tests need of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


@dataclass
class Server:
    """A running service."""

    process: Process
    port: int
    host: str = "127.0.0.1"

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            raw = None if body is None else json.dumps(body)
            connection.request(method, path, raw, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or "null")
        finally:
            connection.close()

    def talk(self, request: bytes, *, half_close: bool = False) -> bytes:
        """What comes back for these bytes until the server closes, or is silent for a second.

        It may take longer to begin: a busy machine takes its time to hash a password.
        """
        with socket.create_connection((self.host, self.port), timeout=10) as connection:
            connection.sendall(request)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            with suppress(TimeoutError, ConnectionResetError):
                while piece := connection.recv(65536):
                    answer += piece
                    connection.settimeout(1)
            return answer

    def sign_up(self, username: str = "alice#1") -> str:
        """The token of a new user."""
        credentials = {"username": username, "password": PASSWORD}
        assert self.call("POST", "/register", credentials)[0] == 200
        token: str = self.call("POST", "/login", credentials)[1]["access-token"]
        return token

    def workers(self) -> list[int]:
        """The processes that answer, the oldest first."""
        master = self.process.pid
        try:
            children = Path(f"/proc/{master}/task/{master}/children").read_text()
        except FileNotFoundError:
            return []
        return sorted(int(pid) for pid in children.split())

    def kill(self) -> None:
        """End it at once, with what it has started: another master would go on without it."""
        started = self.workers()
        self.process.kill()
        for pid in started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 15) -> int:
        """End it within as many seconds, and answer its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these `FORUM_*` settings alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FORUM_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        **{f"FORUM_{k}": value for k, value in settings.items()},
    }


FORUM_SERVE = ("-m", "forum", "serve")

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["forum.cli.serving", "forum.http.openapi"])


class _Forked:
    """`forum serve` in a process of its own that need not load the program: that takes longer than
    most tests.
    """

    def __init__(self, folder: Path, settings: dict[str, str], log: Path) -> None:
        self._process = _FORKS.Process(target=_serve, args=(folder, settings, log))
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(FORUM_SERVE, timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        os.kill(self.pid, sig)

    def kill(self) -> None:
        self._process.kill()


def _serve(folder: Path, settings: dict[str, str], log: Path) -> None:
    with log.open("a") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(settings)
    main(["serve"], prog_name="forum")


OWN_GUNICORN = ("-m", "gunicorn", "-k", "forum.server.Worker", "-w", "2", "forum.main:app()")


@contextmanager
def running(
    folder: Path,
    host: str = "127.0.0.1",
    command: Sequence[str] = FORUM_SERVE,
    descriptors: int | None = None,
    python: str = sys.executable,
    port: int | None = None,
    program: Path = ROOT,
    **settings: str,
) -> Iterator[Server]:
    """A server with its data in the folder, ready to be called.

    It is started by a `command` of that Python, runs the `program` in that folder, and may open so
    many `descriptors` at most.
    """
    with starting(folder, host, command, descriptors, python, port, program, **settings) as server:
        _await(server.process, host, server.port, folder / "server.log")
        yield server


@contextmanager
def starting(
    folder: Path,
    host: str = "127.0.0.1",
    command: Sequence[str] = FORUM_SERVE,
    descriptors: int | None = None,
    python: str = sys.executable,
    port: int | None = None,
    program: Path = ROOT,
    **settings: str,
) -> Iterator[Server]:
    """A server that was started just now, and may not answer yet."""
    port = port or free_port()
    bind = f"{f'[{host}]' if ':' in host else host}:{port}"
    variables = environment(BIND=bind, **settings)
    variables |= {"GUNICORN_CMD_ARGS": f"--bind {bind}", "PYTHONPATH": str(program)}
    log = folder / "server.log"
    process: Process
    if (command, descriptors, python, program) == (FORUM_SERVE, None, sys.executable, ROOT):
        process = _Forked(folder, variables, log)
    else:
        limit = ["prlimit", f"--nofile={descriptors}:{descriptors}"] if descriptors else []
        with log.open("a") as file:
            process = subprocess.Popen(
                [*limit, python, *command], cwd=folder, env=variables, stderr=file
            )
    server = Server(process, port, host)
    try:
        yield server
    finally:
        if process.poll() is None:
            server.kill()
        process.wait()


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """What a command of the command line prints and answers."""
    return subprocess.run(
        [sys.executable, "-m", "forum", *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def free_port() -> int:
    """One that the kernel gives to nobody: it is outside its range for connections."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _await(process: Process, host: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(host, port, timeout=5)
            connection.request("GET", "/articles")
            connection.getresponse().read()
            connection.close()
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
