"""What the server says of when a request arrived."""

import json
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import Server, running

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = """
import json, time

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await send({"type": (await receive())["type"] + ".complete"})
        return
    while (await receive()).get("more_body"):
        pass
    body = json.dumps([scope.get("forum.arrived"), time.monotonic()]).encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An application that answers when its request arrived, and when it answers."""
    folder: Path = tmp_path_factory.mktemp("arrival")
    (folder / "told.py").write_text(APPLICATION)
    command = ("-m", "gunicorn", "-k", "forum.server.Worker", "told:app")
    with running(folder, command=command, DATABASE_URL="memory://") as server:
        yield server


@pytest.fixture
def connection(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=10) as connection:
        yield connection


def ask(connection: socket.socket, request: bytes) -> list[float]:
    """When a request arrived, and when it was answered."""
    connection.sendall(request)
    told: list[float] = json.loads(connection.recv(1000).partition(b"\r\n\r\n")[2])
    return told


@pytest.mark.parametrize(
    "request_", [b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"]
)
def test_a_request_that_came_whole_is_stamped(connection: socket.socket, request_: bytes) -> None:
    before = time.monotonic()
    arrived, answered = ask(connection, request_)
    assert before <= arrived <= answered <= time.monotonic()


def test_one_whose_body_comes_later_is_not(server: Server, connection: socket.socket) -> None:
    connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
    assert server.call("GET", "/")[0] == 200  # The head was read by then.
    assert ask(connection, b"cd")[0] is None


def test_each_request_of_a_connection_has_a_stamp_of_its_own(connection: socket.socket) -> None:
    stamps = [ask(connection, b"GET / HTTP/1.1\r\n\r\n")[0] for _ in range(2)]
    assert stamps[0] < stamps[1]
