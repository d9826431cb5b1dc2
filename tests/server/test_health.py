"""Health is answered whatever the rest of the service waits for."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw
import pytest

from tests.support.servers import PASSWORD, Server, running

PATIENT = {"STORE_TIMEOUT": "30", "WORKERS": "1", "THROTTLE": "off"}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another program holds the right to write."""
    with closing(apsw.Connection(str(folder / "data/forum.db"))) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def waiting_requests(server: Server, path: str, body: object) -> Iterator[Callable[[], None]]:
    """What sends sixteen requests, whose answers are awaited only at the end."""
    with ExitStack() as stack:

        def send() -> None:
            for _ in range(16):
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                stack.callback(connection.close)
                connection.request("POST", path, json.dumps(body))
                stack.callback(connection.getresponse)

        yield send


@pytest.mark.parametrize("route", ["/login", "/articles/new"])
def test_it_is_answered_while_all_others_wait(tmp_path: Path, route: str) -> None:
    with running(tmp_path, **PATIENT) as server:
        token = server.sign_up()
        bodies = {
            "/login": {"username": "alice#1", "password": PASSWORD},
            "/articles/new": {"title": "A title", "text": "A text", "access-token": token},
        }
        # The requests are sent under the lock, and the probe gives up before any of them can.
        with waiting_requests(server, route, bodies[route]) as send, locked(tmp_path):
            send()
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            for path in ("/healthz", "/readyz"):
                connection.request("GET", path)
                response = connection.getresponse()
                assert (path, response.status, response.read()[:10]) == (path, 200, b'{"status":')
            connection.close()
