"""Health is answered whatever the rest of the service waits for."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
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
def calling(server: Server, method: str, path: str, body: object) -> Iterator[None]:
    """Sixteen clients that ask for the same, and wait."""

    def call() -> None:
        with suppress(OSError, http.client.HTTPException):
            server.call(method, path, body)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("route", ["/login", "/articles/new"])
def test_it_is_answered_while_all_others_wait(tmp_path: Path, route: str) -> None:
    with running(tmp_path, **PATIENT) as server:
        token = server.sign_up()
        bodies = {
            "/login": {"username": "alice#1", "password": PASSWORD},
            "/articles/new": {"title": "A title", "text": "A text", "access-token": token},
        }
        # Who waits gives up after ten seconds, the probe after five: so it waits for nobody.
        with calling(server, "POST", route, bodies[route]), locked(tmp_path):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            for path in ("/healthz", "/readyz"):
                connection.request("GET", path)
                response = connection.getresponse()
                assert (path, response.status, response.read()[:10]) == (path, 200, b'{"status":')
            connection.close()
