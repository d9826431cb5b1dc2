"""Health, request ids and what is logged of a request."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from falcon.testing import create_scope

from forum import logs
from forum.adapters.memory.tables import MemoryTables
from forum.config import Settings
from forum.database_url import Postgres, Sqlite
from forum.domain.errors import Unavailable
from forum.main import build
from forum.repositories import memory_repositories
from forum.storage import Store, open_store, prepare
from tests.conftest import CHEAP_HASHER
from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, ok, refusal
from tests.support.lines import entries, written

UNAVAILABLE = refusal(503, "Service is unavailable, try again later")

HOSTILE = [
    "a\nb", "a\r\nlevel=error", 'a" status=200 x="', "a status=200", "\x1b[31mred\x1b[0m", "\x7f",
    "\u202eabc", "\u2028", "\x85", "x" * 8000, "\\n", "{}", '{"a": 1}', "",
]  # fmt: skip
"""What could end a line, or look like another field, or turn around what a reader sees."""


QUOTED = r'"(?:[ !#-\[\]-~]|\\.)*"'


def test_the_process_is_well(client: Client) -> None:
    assert answer(client.get("/healthz")) == ok({"status": "ok"})


def test_the_store_is_ready(client: Client) -> None:
    assert answer(client.get("/readyz")) == ok({"status": "ready"})


@pytest.fixture
def unready(settings: Settings) -> Iterator[Client]:
    """The service on a store whose last migration is missing."""

    def require_ready() -> None:
        raise Unavailable("nothing is ready")

    store = Store(memory_repositories(MemoryTables()), require_ready=require_ready)
    with Client(build(settings, store, hasher=CHEAP_HASHER)) as client:
        yield client


@ON_ONE_STORE
def test_a_store_that_is_not_ready_is_a_503_while_the_process_is_well(unready: Client) -> None:
    result = unready.get("/readyz")
    assert (answer(result), result.headers["retry-after"]) == (UNAVAILABLE, "1")
    assert unready.get("/healthz").status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_a_store_without_its_tables_is_not_ready(settings: Settings) -> None:
    match settings.database_url:
        case Sqlite(file):
            file.unlink()
        case Postgres(dsn):
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with Client(build(settings, open_store(settings), hasher=CHEAP_HASHER)) as client:
        assert answer(client.get("/readyz")) == UNAVAILABLE
        prepare(settings)
        assert client.get("/readyz").status_code == 200


def test_whoever_asks_at_once_is_answered_at_once(client: Client) -> None:
    results = client.together(50, "GET", "/readyz")
    assert {each.status_code for each in results} == {200}


@ON_ONE_STORE
class TestRequestId:
    """On every answer, and in every line."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/articles", None),
            ("GET", "/nope", None),
            ("PUT", "/articles", None),
            ("OPTIONS", "/articles", None),
            ("POST", "/login", b"{"),
            ("POST", "/login", b"x" * 70_000),
        ],
    )
    @pytest.mark.parametrize("given", ["a", "A-z_0.9", "x" * 64])
    def test_it_is_the_clients(
        self, client: Client, given: str, *, method: str, path: str, body: bytes | None
    ) -> None:
        result = client.request(method, path, body=body, headers={"X-Request-ID": given})
        assert result.headers["x-request-id"] == given

    @pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a,b", 'a"', "\xe9", "a\tb"])
    def test_one_that_could_confuse_is_replaced(self, client: Client, given: str) -> None:
        result = client.get("/articles", headers={"X-Request-ID": given})
        assert re.fullmatch("[0-9a-f]{16}", result.headers["x-request-id"])

    def test_no_two_requests_share_one(self, client: Client) -> None:
        ids = [client.get("/articles").headers["x-request-id"] for _ in range(100)]
        assert len(set(ids)) == 100

    def test_it_stands_in_every_line_about_the_request(self, client: Client) -> None:
        with written() as log:
            client.post(
                "/login",
                {"username": "nobody#1", "password": PASSWORD},
                headers={"X-Request-ID": "mine"},
            )
        assert [(each["event"], each["request_id"]) for each in entries(log.getvalue())] == [
            ("login failed", "mine")
        ]

    def test_it_stands_at_the_reason_of_a_503(self, unready: Client) -> None:
        with written() as log:
            unready.get("/readyz", headers={"X-Request-ID": "mine"})
        [line] = entries(log.getvalue())
        assert (line["request_id"], line["reason"]) == ("mine", "nothing is ready")


@pytest.fixture(params=["json"])
def logged(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Client]:
    """The service with a line for each request, in a format."""
    logs.configure(request.param, "error")
    settings = replace(settings, access_log=True)
    prepare(settings)
    with Client(build(settings, open_store(settings), hasher=CHEAP_HASHER)) as client:
        yield client


@ON_ONE_STORE
class TestAccessLog:
    """One line a request."""

    def test_a_line_says_who_asked_for_what_and_what_became_of_it(
        self, logged: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        id = logged.write(token := logged.sign_up("alice#1"))
        capsys.readouterr()
        body = {"title": "A title", "text": "A text", "access-token": token}
        result = logged.request("PUT", f"/articles/{id}/edit?x=1", json=body)
        [line] = entries(capsys.readouterr().err)
        assert line.pop("timestamp").endswith("Z")
        assert 0 < line.pop("duration") < 10
        assert line == {
            "level": "info",
            "logger": "forum.access",
            "event": "request",
            "request_id": result.headers["x-request-id"],
            "method": "PUT",
            "route": "/articles/{article_id}/edit",
            "path": f"/articles/{id}/edit",
            "status": 200,
            "bytes": len(result.content),
            "user": 1,
            "address": "127.0.0.1",
        }

    @pytest.mark.parametrize(
        ("method", "path", "route", "status"),
        [
            ("GET", "/articles/999", "/articles/{article_id}", 404),
            ("GET", "/nope", None, 404),
            ("PATCH", "/articles/1", "/articles/{article_id}", 405),
            ("OPTIONS", "/login", "/login", 200),
            ("HEAD", "/articles", "/articles", 200),
        ],
    )
    def test_every_request_has_a_line(
        self,
        logged: Client,
        capsys: pytest.CaptureFixture[str],
        *,
        method: str,
        path: str,
        route: str | None,
        status: int,
    ) -> None:
        capsys.readouterr()
        logged.request(method, path)
        [line] = entries(capsys.readouterr().err)
        assert (line["method"], line["route"], line["status"], line["user"]) == (
            method, route, status, None,
        )  # fmt: skip

    def test_a_body_that_is_refused_has_its_route(
        self, logged: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        capsys.readouterr()
        logged.request("POST", "/login", body=b"x" * 70_000)
        [line] = entries(capsys.readouterr().err)
        assert (line["route"], line["status"]) == ("/login", 413)

    def test_a_request_whose_client_went_away_has_a_line_without_a_status(
        self, logged: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async def never(*message: object) -> Any:
            await asyncio.Event().wait()

        async def go_away() -> None:
            request = logged.application(create_scope("/articles"), never, never)
            task = asyncio.create_task(request)
            await asyncio.sleep(0)  # It begins, and waits for the client to take the answer.
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        capsys.readouterr()
        asyncio.run(go_away())
        [line] = entries(capsys.readouterr().err)
        assert (line["route"], line["status"], line["bytes"]) == ("/articles", None, 0)

    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_who_only_asks_for_health_has_none(
        self, logged: Client, capsys: pytest.CaptureFixture[str], path: str
    ) -> None:
        capsys.readouterr()
        logged.get(path)
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("logged", ["console", "json"], indirect=True)
    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_no_path_ends_a_line(
        self, logged: Client, capsys: pytest.CaptureFixture[str], hostile: str
    ) -> None:
        raw = b"/articles/" + hostile.encode()
        capsys.readouterr()
        logged.exchange([{"type": "http.request"}], method="GET", path="/x", raw_path=raw)
        assert re.sub("[ -~]", "", capsys.readouterr().err) == "\n"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_value_is_one_field_for_people(hostile: str) -> None:
    with written(is_console=True) as log:
        logging.getLogger("forum").warning("seen %s", hostile, extra={"value": hostile, "next": 1})
    found = re.fullmatch(
        f"[^ ]+ WARNING forum ({QUOTED}) value=({QUOTED}|x+) next=1\n", log.getvalue()
    )
    assert found
    event, value = found.groups()
    assert json.loads(event) == f"seen {hostile}"
    assert value.strip("x") == "" or json.loads(value) == hostile


def test_no_line_of_a_traceback_passes_for_another() -> None:
    forged = RuntimeError("2026-11-24T00:00:00Z INFO forged\n2026-11-24T00:00:00Z INFO forged")
    with written(is_console=True) as log:
        logging.getLogger("forum").error("failed", exc_info=forged)
    first, *rest = log.getvalue().splitlines()
    assert first.endswith('ERROR forum "failed"')
    assert {line[:4] for line in rest} == {"    "}
