"""The benchmarks: whether they send, and measure, what they say."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest
from falcon.testing import TestClient

from benchmarks.client import ask, request
from benchmarks.data import Size, SqliteForum
from benchmarks.forum import forum
from benchmarks.load import CLIENTS, measure
from benchmarks.operations import operations_of
from benchmarks.parts import Forum
from benchmarks.servers import ROOT

ARTICLES = 1000
ONE, OTHER = request("GET", "/one?page=1"), request("PUT", "/other", {"title": "A title"})


class Recorder(ThreadingHTTPServer):
    """A server that knows what it was asked for."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Recording)
        self.status = status
        self.asked: list[tuple[str, str, bytes]] = []

    def handle_error(self, *_: object) -> None:
        """Let clients go away."""


class Recording(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def do_GET(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked.append((self.command, self.path, content))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def recorder(status: int = 200) -> Iterator[Recorder]:
    with Recorder(status) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def _wrk() -> None:
    if not shutil.which("wrk") and "CI" not in os.environ:
        pytest.skip("wrk is not installed")


@pytest.mark.usefixtures("_wrk")
def test_one_request_is_sent_as_it_is() -> None:
    with recorder() as server:
        measure("a call", server.server_port, [OTHER], seconds=1)
        assert set(server.asked) == {("PUT", "/other", b'{"title": "A title"}')}


@pytest.mark.usefixtures("_wrk")
def test_several_requests_are_sent_in_turn() -> None:
    with recorder() as server:
        measure("a call", server.server_port, [ONE, OTHER], seconds=1)
        paths = [path for _, path, _ in server.asked]
    # As many as there are clients may be on their way in the end.
    assert abs(paths.count("/one?page=1") - paths.count("/other")) <= CLIENTS < len(paths)


@pytest.mark.usefixtures("_wrk")
def test_a_refusal_ends_a_measurement_with_its_name() -> None:
    with (
        recorder(status=404) as server,
        pytest.raises(click.ClickException, match=r"^a call: of \d+ "),
    ):
        measure("a call", server.server_port, [ONE], seconds=1)


def test_every_call_is_answered_as_expected(tmp_path: Path) -> None:
    database = SqliteForum(Size(ARTICLES, writers=2), tmp_path / "forum.db")
    with forum("this", ROOT, tmp_path / "this", database, {}) as target:
        expected = {name: call.status for name, call in target.calls.items()}
        answered = {
            name: ask(target.port, call.requests(1)[0]).status
            for name, call in target.calls.items()
        }
    assert answered == expected


@pytest.fixture
def service(tmp_path: Path, _no_settings: None) -> Iterator[Forum]:
    with closing(Forum(tmp_path, ARTICLES)) as service:
        yield service


def test_every_service_that_is_taken_apart_answers(service: Forum) -> None:
    statuses = [
        TestClient(app).simulate_request(each.method, each.path, json=each.body).status_code
        for each in operations_of(service)
        for app in (each.service.app, each.service.uncached)
    ]
    assert set(statuses) == {200}


def test_every_part_of_it_finds_what_is_asked_for(service: Forum) -> None:
    parts = [each.parts for each in operations_of(service) if each.parts]
    found = [
        bool(part())
        for each in parts
        for part in (each.database, each.adapter, each.use_case)
        if part
    ]
    assert (len(found), all(found)) == (11, True)


def test_every_resource_answers_without_the_framework(service: Forum) -> None:
    steps = [each.steps()["resource"] for each in operations_of(service) if each.parts]

    async def answer() -> None:
        for step in steps:
            await step()

    asyncio.run(answer())  # A refusal would be raised.
    assert len(steps) == 4
