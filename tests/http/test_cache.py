"""Public answers from memory: as they would be without it, and never stale."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

from forum.config import Settings
from forum.database_url import Memory
from forum.http.cache import IS_REMEMBERED, Cache
from forum.http.guard import REQUEST_ID, Message, Receive, Scope, Send
from forum.main import build
from forum.storage import open_store
from tests.conftest import CHEAP_HASHER
from tests.http.conftest import PASSWORD, Client

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_EMBEDDED = pytest.mark.parametrize("database_url", ["sqlite", "memory"], indirect=True)
PATHS = [
    "/articles", "/articles?page=1", "/articles?page=2", "/articles/1", "/articles/2", "/users/1",
    "/users/2", "/users/1/articles", "/users/2/articles?page=2", "/articles/99",
    "/articles?before=9999-12-31T23:59:59.999999,1", "/articles?page=1&page=2", "/users/9/articles",
]  # fmt: skip


@pytest.fixture
def services(settings: Settings) -> Iterator[list[Client]]:
    """Three services on one store, as in three processes; the last one remembers nothing."""
    in_memory = open_store(settings) if settings.database_url == Memory() else None
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                Client(build(each, in_memory or open_store(each), hasher=CHEAP_HASHER))
            )
            for each in (settings, settings, replace(settings, cache_memory=0))
        ]


def seen(client: Client, path: str, **headers: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All of an answer but the id of the request."""
    result = client.get(path, headers=headers)
    kept = sorted(each for each in result.headers.items() if each[0] != "x-request-id")
    return result.status_code, result.content, kept


Step = Callable[[Random, Client], object]


def steps(database: Path, tokens: list[str]) -> Sequence[Step]:
    """What may be written, by the service and beside it."""

    def write(random: Random, client: Client) -> object:
        return client.write(random.choice(tokens), str(random.random()))

    def edit(random: Random, client: Client) -> object:
        body = {"title": "x", "text": str(random.random()), "access-token": random.choice(tokens)}
        return client.put(f"/articles/{random.randrange(1, 4)}/edit", body)

    def delete(random: Random, client: Client) -> object:
        body = {"access-token": random.choice(tokens)}
        return client.delete(f"/articles/{random.randrange(1, 30)}/delete", body)

    def rename(random: Random, client: Client) -> object:
        with closing(apsw.Connection(str(database))) as other:
            name = f"user-{random.randrange(10**6)}"
            return other.execute("UPDATE users SET username = ? WHERE id = 1", [name]).fetchall()

    return [write, write, edit, delete, *([rename] if database.exists() else [])]


@ON_EMBEDDED
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_written_anywhere_every_answer_is_what_it_would_be_without(
    services: list[Client], tmp_path: Path, seed: int
) -> None:
    *cached, plain = services
    random = Random(seed)
    tokens = [plain.sign_up(name) for name in ("alice#1", "bobby#2")]
    for token in tokens * 6:
        plain.write(token)
    for _ in range(60):
        random.choice(steps(tmp_path / "forum.db", tokens))(random, random.choice(services))
        for path in random.sample(PATHS, 4):
            expected = seen(plain, path)
            assert [seen(client, path) for client in cached for _ in range(2)] == [expected] * 4


@ON_SQLITE
@pytest.mark.parametrize("path", PATHS)
def test_an_answer_from_memory_is_the_same_in_every_respect(
    services: list[Client], path: str
) -> None:
    remembering, _, plain = services
    remembering.write(remembering.sign_up("alice#1"))
    for _ in range(2):
        remembering.get(path)
    for headers in (
        {},
        {"Origin": "https://forum.example"},
        {"If-None-Match": "*"},
        {"If-None-Match": '"x"'},
        {"If-None-Match": f'W/"x", {plain.get(path).headers.get("etag")}'},
    ):
        assert seen(remembering, path, **headers) == seen(plain, path, **headers)
        heads = [each.request("HEAD", path, headers=headers) for each in (remembering, plain)]
        assert heads[0].content == heads[1].content == b""
        differing = set(heads[0].headers.items()) ^ set(heads[1].headers.items())
        assert {name for name, _ in differing} == {"x-request-id"}


@ON_SQLITE
def test_an_id_is_each_requests_own(services: list[Client]) -> None:
    ids = [services[0].get("/articles").headers["x-request-id"] for _ in range(3)]
    given = services[0].get("/articles", headers={"X-Request-ID": "mine"})
    assert (len(set(ids)), given.headers["x-request-id"]) == (3, "mine")


@ON_SQLITE
class TestConfiguredOrigins:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, cors_origins=("https://forum.example",))

    def test_each_origin_gets_its_own_answer(self, services: list[Client]) -> None:
        for headers in (
            {},
            {"Origin": "https://forum.example"},
            {"Origin": "https://other.example"},
        ) * 2:
            assert seen(services[0], "/articles", **headers) == seen(
                services[2], "/articles", **headers
            )


@ON_EMBEDDED
def test_a_session_that_is_ended_anywhere_is_over_everywhere(services: list[Client]) -> None:
    here, there, _ = services
    for end in ("/logout", "/change-password"):
        token = here.sign_up(f"user-{end[1:4]}")
        body = {"access-token": token, "password": PASSWORD, "new-password": PASSWORD + "x"}
        asked = [here.post("/verify-token", body).status_code for _ in range(3)]
        ended = there.post(end, body).status_code
        assert [*asked, ended, here.post("/verify-token", body).status_code] == [200] * 4 + [401]


class Counting:
    """An application that answers how often it was asked, and a store beside it."""

    def __init__(self, memory: int = 10**6) -> None:
        self.asked = 0
        self.gate: asyncio.Event | None = None
        """What an answer waits for."""
        self.version: object = 1
        self.questions = 0
        """How often it was asked for the version."""
        self.hits: list[bool | None] = []
        self._cache = Cache(
            self,
            version=self.tell_version,
            prefixes=(b"/a", b"/b", b"/c", b"/g", *(b"/%d" % digit for digit in range(10))),
            is_for_all_origins=True,
            memory=memory,
        )

    def tell_version(self) -> object:
        self.questions += 1
        return self.version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        status = 404 if scope["path"] == "/gone" else 200
        tag = [] if scope["path"] == "/a-secret" else [(b"etag", b'"x"')]
        headers = [*tag, (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * 1000})

    def introduce(self, *targets: tuple[str, bytes]) -> None:
        """Ask for each path and query for the first time, before anything is counted."""
        for path, query in targets:
            self.get(path, query)
        self.asked = 0
        self.hits.clear()

    def get(self, path: str, query: bytes = b"", **scope: Any) -> int:
        """How often the application was asked by then."""
        return asyncio.run(self.ask(path, query, **scope))

    async def ask(self, path: str, query: bytes = b"", **scope: Any) -> int:
        """As `get`, on a loop that runs."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError

        given = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query, "headers": [], REQUEST_ID: "id",
        }  # fmt: skip
        whole = given | scope
        await self._cache(whole, receive, send)
        self.hits.append(whole.get(IS_REMEMBERED))
        assert sent[0]["status"] == (404 if path == "/gone" else 200)
        assert sent[1]["body"] == (b"" if scope else b"x" * 1000)
        return self.asked


def test_what_is_asked_for_again_is_remembered() -> None:
    app = Counting()
    times = [app.get("/a") for _ in range(4)] + [app.get("/a", method="HEAD")]
    assert times == [1, 2, 2, 2, 2]
    assert app.hits == [False, False, True, True, True]


def test_what_is_asked_for_once_leaves_the_store_alone() -> None:
    app = Counting()
    app.introduce(("/a", b""), ("/b", b""))
    assert app.questions == 0
    app.get("/a")
    assert app.questions == 1


def test_a_new_version_ends_what_was_remembered() -> None:
    app = Counting()
    app.introduce(("/a", b""))
    assert [app.get("/a"), app.get("/a")] == [1, 1]
    app.version = 2
    assert [app.get("/a"), app.get("/a")] == [2, 2]


def test_whoever_walks_through_everything_displaces_nothing_that_is_read() -> None:
    app = Counting(memory=6000)  # two answers
    app.introduce(("/a", b""))
    app.get("/a")
    app.introduce(*((f"/b{number}", b"") for number in range(100)))
    assert app.get("/a") == 0


def test_those_that_were_met_are_not_remembered_without_end() -> None:
    app = Counting()
    app.introduce(*((f"/a{number}", b"") for number in range(8193)))
    assert len(app._cache._met) == 1


def test_an_answer_that_was_overtaken_is_not_remembered() -> None:
    app = Counting()
    app.introduce(("/a", b""), ("/b", b""))

    async def overtake() -> None:
        app.gate = gate = asyncio.Event()
        slow = asyncio.create_task(app.ask("/a"))
        await asyncio.sleep(0)  # It has begun, and may have read what was there.
        app.version, app.gate = 2, None
        await app.ask("/b")
        gate.set()
        await slow

    asyncio.run(overtake())
    assert [app.get("/b"), app.get("/a")] == [2, 3]


def test_without_a_version_nothing_is_remembered() -> None:
    app = Counting()
    app.introduce(("/a", b""))
    app.version = None
    assert [app.get("/a"), app.get("/a")] == [1, 2]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/private", b""), ("/a-secret", b""), ("/gone", b""), ("/a", b"page=1&page=2"),
        ("/a", b"x=1"), ("/a", b"page=" + b"1" * 60), ("/a", b"PAGE=1"),
    ],
)  # fmt: skip
def test_unusual_requests_are_not_remembered(path: str, query: bytes) -> None:
    app = Counting()
    app.introduce((path, query))
    assert [app.get(path, query), app.get(path, query)] == [1, 2]


def test_queries_are_told_apart() -> None:
    app = Counting()
    queries = [b"", b"page=1", b"page=2", b"before=1", b"page=1"]
    app.introduce(*(("/a", query) for query in set(queries)))
    assert [app.get("/a", query) for query in queries] == [1, 2, 3, 4, 4]


def test_the_oldest_gives_way_where_memory_ends() -> None:
    app = Counting(memory=6000)  # two answers
    app.introduce(*((path, b"") for path in ("/a", "/b", "/c")))
    for path in ("/a", "/b", "/c"):
        app.get(path)
    assert [app.get("/b"), app.get("/c"), app.get("/a")] == [3, 3, 4]


def test_an_answer_larger_than_all_memory_is_given_all_the_same() -> None:
    app = Counting(memory=100)
    app.introduce(("/a", b""))
    assert [app.get("/a"), app.get("/a")] == [1, 2]


def test_many_different_ones_take_no_more_than_they_may() -> None:
    app = Counting(memory=100_000)
    for number in [*range(500)] * 2:
        app.get(f"/{number}")
    assert app._cache._kept
    assert sum(len(each.body) + 1536 for each in app._cache._kept.values()) <= 100_000
