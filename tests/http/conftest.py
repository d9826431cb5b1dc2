"""A client in the same process, and the steps that most tests begin with."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Self

import pytest
from falcon.testing import ASGIConductor, Result

from forum.adapters.audit_log import ProcessAuditLog
from forum.adapters.clock import SystemClock
from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.audit import MemoryAuditTrail
from forum.adapters.memory.rate_limits import MemoryRateCounters
from forum.adapters.memory.sessions import MemorySessions
from forum.adapters.memory.tables import MemoryTables
from forum.adapters.memory.users import MemoryUsers
from forum.adapters.tokens import JwtTokens
from forum.domain.articles import ArticleLimits
from forum.domain.ports import Clock
from forum.domain.rate_limits import RateLimits
from forum.domain.repositories import Repositories
from forum.http.app import BodyLimits, create_app
from forum.http.dispatch import run_inline
from forum.http.guard import Application, Message, Receive, Scope, Send
from forum.services import wire
from tests.conftest import CHEAP_HASHER, SECRET
from tests.support.clusters import Cluster, empty_forum
from tests.support.openapi import DOCUMENT, check

PASSWORD = "Password#1"

ON_ONE_STORE = pytest.mark.parametrize("database_url", ["memory"], indirect=True)
"""For what is decided before a store is asked: the other stores would only cost time."""

Answer = tuple[int, Any]
"""The status and the JSON of an answer."""


def answer(result: Result) -> Answer:
    """What the service said."""
    return result.status_code, result.json


def ok(body: object) -> Answer:
    """What it says when it did as it was asked."""
    return 200, body


def refusal(status: int, sentence: str) -> Answer:
    """What it says when it did not."""
    return status, {"error": sentence}


def assemble(
    store: MemoryTables,
    *,
    users: Any = None,
    sessions: Any = None,
    articles: Any = None,
    clock: Clock | None = None,
    limits: RateLimits | None = None,
    proxies: Sequence[str] = (),
) -> Application:
    """The service on memory, or on repositories of the test's own, with the secret of all tests."""
    services = wire(
        Repositories(
            users or MemoryUsers(store),
            sessions or MemorySessions(store),
            articles or MemoryArticles(store),
            MemoryRateCounters(),
            MemoryAuditTrail(store),
            lambda: store.lock,
        ),
        hasher=CHEAP_HASHER,
        tokens=JwtTokens(lambda: [SECRET]),
        clock=clock or SystemClock(),
        audit_log=ProcessAuditLog(),
        audit_lifetime=timedelta(days=90),
        token_lifetime=timedelta(days=1),
        article_limits=ArticleLimits(10, 300, 100_000),
        rate_limits=limits,
    )
    return create_app(
        services.users,
        services.sessions,
        services.articles,
        run_inline,
        proxies=proxies,
        body_limits=BodyLimits(fields=64 * 1024, article=2 * 1024**2, together=32 * 1024**2),
        cors_origins="*",
        pages=True,
        require_ready=lambda: None,
        store_version=lambda: None,
        cache_memory=0,
        render_openapi=lambda: DOCUMENT,
        access_log=False,
        metrics=None,
        close=lambda: None,
    )


def with_plain_headers(application: Application) -> Application:
    """The application, reached as from a server: Falcon's test client sends headers that can be
    read but once.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
        await application(scope, receive, send)

    return call


class Client:
    """Calls the service through its ASGI interface, guard and lifespan included."""

    def __init__(self, application: Application) -> None:
        self._loop = asyncio.Runner()
        self.application = application
        self._conductor = ASGIConductor(with_plain_headers(application))

    def __enter__(self) -> Self:
        self._loop.run(self._conductor.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.run(self._conductor.__aexit__(*error))
        self._loop.close()

    def request(self, method: str, path: str, **options: Any) -> Result:
        """The answer; the options are those of `falcon.testing.simulate_request`: json, body,
        headers ...
        """
        result = self._loop.run(self._conductor.simulate_request(method, path, **options))
        is_json = result.headers.get("content-type") == "application/json" and result.content
        check(method, path, result.status_code, result.headers, result.json if is_json else None)
        return result

    def together(self, count: int, method: str, path: str, **options: Any) -> list[Result]:
        """The answers to the same request, sent several times at once."""

        async def send() -> list[Result]:
            simulate = self._conductor.simulate_request
            return await asyncio.gather(*(simulate(method, path, **options) for _ in range(count)))

        return self._loop.run(send())

    def exchange(self, incoming: Iterable[Message], **scope: Any) -> tuple[Result, list[Message]]:
        """The answer to a request in ASGI's own words, and the messages that it left unread."""
        unread = list(incoming)
        start, *rest = self.converse(unread, **scope)
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
        ]
        body = [message.get("body", b"") for message in rest]
        return Result(body, str(start["status"]), headers), unread

    def converse(self, incoming: list[Message], **scope: Any) -> list[Message]:
        """What the service sends while it takes what it wants from the incoming messages."""
        outgoing: list[Message] = []

        async def receive() -> Message:
            return incoming.pop(0)

        async def send(message: Message) -> None:
            outgoing.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "query_string": b"",
            "headers": [],
            **scope,
        }
        self._loop.run(self._conductor.app(scope, receive, send))
        return outgoing

    def get(self, path: str, **options: Any) -> Result:
        return self.request("GET", path, **options)

    def post(self, path: str, json: object = None, **options: Any) -> Result:
        return self.request("POST", path, json=json, **options)

    def put(self, path: str, json: object = None, **options: Any) -> Result:
        return self.request("PUT", path, json=json, **options)

    def delete(self, path: str, json: object = None, **options: Any) -> Result:
        return self.request("DELETE", path, json=json, **options)

    def sign_up(self, username: str, password: str = PASSWORD) -> str:
        """The token of a new user."""
        credentials = {"username": username, "password": password}
        assert self.post("/register", credentials).status_code == 200
        token = self.post("/login", credentials).json["access-token"]
        assert isinstance(token, str)
        return token

    def write(self, token: str, title: str = "A title", text: str = "A text") -> int:
        """The id of a new article."""
        body = {"title": title, "text": text, "access-token": token}
        id = self.post("/articles/new", body).json["id"]
        assert isinstance(id, int)
        return id


@pytest.fixture
def postgres_url(cluster: Cluster) -> Iterator[str]:
    """The URL of a PostgreSQL database with the tables of this version, and nothing in them."""
    with empty_forum(cluster) as url:
        yield url


@pytest.fixture
def client(application: Application) -> Iterator[Client]:
    with Client(application) as client:
        yield client


@pytest.fixture
def alice(client: Client) -> str:
    """The token of the first user."""
    return client.sign_up("alice#1")


@pytest.fixture
def bob(client: Client, alice: str) -> str:
    """The token of the second user."""
    return client.sign_up("bobby#2")
