"""The service as an operator starts it: a process of its own, reached over real sockets."""

import http.client
import json
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
from typing import Any

PASSWORD = "Password#1"


@dataclass
class Server:
    """A running `forum serve`."""

    process: subprocess.Popen[str]
    port: int
    host: str = "127.0.0.1"

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
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

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 15) -> int:
        """End it within as many seconds, and answer its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these `FORUM_*` settings alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FORUM_")}
    root = str(Path(__file__).resolve().parents[2])
    return {**kept, "PYTHONPATH": root, **{f"FORUM_{k}": value for k, value in settings.items()}}


FORUM_SERVE = ("-m", "forum", "serve")

OWN_GUNICORN = ("-m", "gunicorn", "-k", "forum.server.Worker", "-w", "2", "forum.main:app()")


@contextmanager
def running(
    folder: Path,
    host: str = "127.0.0.1",
    command: Sequence[str] = FORUM_SERVE,
    descriptors: int | None = None,
    python: str = sys.executable,
    **settings: str,
) -> Iterator[Server]:
    """A server with its data in the folder, ready to be called.

    It is started by a `command` of that Python, and may open so many `descriptors` at most.
    """
    with starting(folder, host, command, descriptors, python, **settings) as server:
        _await(server.process, host, server.port, folder / "server.log")
        yield server


@contextmanager
def starting(
    folder: Path,
    host: str = "127.0.0.1",
    command: Sequence[str] = FORUM_SERVE,
    descriptors: int | None = None,
    python: str = sys.executable,
    **settings: str,
) -> Iterator[Server]:
    """A server that was started just now, and may not answer yet."""
    port = free_port()
    log = (folder / "server.log").open("a+")
    bind = f"{f'[{host}]' if ':' in host else host}:{port}"
    limit = ["prlimit", f"--nofile={descriptors}:{descriptors}"] if descriptors else []
    process = subprocess.Popen(
        [*limit, python, *command],
        cwd=folder,
        env=environment(BIND=bind, **settings) | {"GUNICORN_CMD_ARGS": f"--bind {bind}"},
        stderr=log,
        text=True,
    )
    try:
        yield Server(process, port, host)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        log.close()


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


def _await(process: subprocess.Popen[str], host: str, port: int, log: Path) -> None:
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
