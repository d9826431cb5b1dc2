"""What is measured."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from math import gcd
from typing import Any

import click

from benchmarks.api import Api
from benchmarks.client import ask, request, tell
from benchmarks.data import USERS, WRITER, Database
from benchmarks.load import CLIENTS

READS = 20_000
"""Requests in a second for another target each: more than any server answers."""

DELETIONS = 8_000
"""Likewise for articles to delete."""

EDITED = 4_096
"""Articles that are edited in turn."""

_STRIDE = 7919
"""Between a target and the next, at least: so they lie far from each other."""

Requests = Callable[[int], Sequence[bytes]]
"""What clients send in so many seconds, one after the other and then from the beginning."""

Path = Callable[[int, int], str]


@dataclass(frozen=True)
class Call:
    """What clients ask for, and a server answers with this status."""

    requests: Requests
    status: int = 200
    is_unique: bool = False
    """Whether none of the requests may be sent twice."""
    beside: Requests | None = None
    """What other clients ask for at the same time."""
    writes: bool = False
    """Whether articles come or go."""
    clients: int = CLIENTS
    least_seconds: int = 1
    """Of a measurement, or it would see too few answers."""


class Calls:
    """All calls of a server on its database."""

    def __init__(self, api: Api, port: int, database: Database) -> None:
        """Registers the writers, and logs them in."""
        self._api, self._port, self._database = api, port, database
        self._names = [f"{WRITER}-{number}" for number in range(database.size.writers)]
        with ThreadPoolExecutor(8) as pool:
            self._tokens = dict(pool.map(self._sign_up, self._names))

    def by_name(self) -> dict[str, Call]:
        """Each call by the name of its route in the forum."""
        return {**self._lists(), **self._single(), **self._writes(), **self._together()}

    def _lists(self) -> dict[str, Call]:
        api, size = self._api, self._database.size
        return {
            **self._read("GET /articles", api.latest()),
            **self._read("GET /articles?page=", api.page(size.pages // 2), api.page, size.pages),
            **self._read(
                "GET /articles?before=", api.older(size.articles // 2), api.older, size.articles
            ),
            **self._read("GET /users/{id}/articles", api.latest_of(7), api.latest_of, size.authors),
        }

    def _single(self) -> dict[str, Call]:
        api, articles = self._api, self._database.size.articles
        return {
            **self._read("GET /articles/{id}", api.article(77), api.article, articles),
            **self._read("GET /users/{id}", api.user(77), api.user, USERS),
        }

    def _read(
        self, name: str, path: str, paths: Path | None = None, size: int = 0
    ) -> dict[str, Call]:
        calls = {f"{name}, warm": Call(lambda _: [request("GET", path)])}
        if paths:
            calls[f"{name}, cold"] = Call(self._cold(paths, size), is_unique=True)
        if self._api.has_tags:
            calls[f"{name}, 304"] = Call(lambda _: [self._known(path)], status=304)
        return calls

    def _writes(self) -> dict[str, Call]:
        verifications = [self._api.verification(token) for token in self._tokens.values()]
        known = [each for each in verifications if each]
        calls = {"POST /verify-token": Call(lambda _: known)} if known else {}
        return calls | {
            "POST /articles/new": Call(self._posts, writes=True),
            "PUT /articles/{id}/edit": Call(self._edits, writes=True),
            "DELETE /articles/{id}/delete": Call(
                self._deletions, status=self._api.deleted, is_unique=True, writes=True
            ),
            # More clients would but queue, and be refused in the end.
            "POST /login": Call(self._logins, clients=8, least_seconds=3),
        }

    def _together(self) -> dict[str, Call]:
        api = self._api
        latest = [request("GET", api.latest())]
        cold = self._cold(api.article, self._database.size.articles)
        return {
            "GET /articles, warm, beside logins": Call(lambda _: latest, beside=self._logins),
            "GET /articles/{id}, cold, beside posts": Call(
                cold, is_unique=True, beside=self._posts, writes=True
            ),
        }

    def _cold(self, path: Path, size: int) -> Requests:
        def requests(seconds: int) -> list[bytes]:
            self._database.forget()
            first = random.randrange(size)
            # Without a common divisor each has its turn before any has a second one.
            stride = next(n for n in count(_STRIDE) if gcd(n, size) == 1)
            return [
                request("GET", path((first + n * stride) % size + 1, n // size))
                for n in range(READS * seconds)
            ]

        return requests

    def _known(self, path: str) -> bytes:
        tag = ask(self._port, request("GET", path)).headers["ETag"]
        if tag is None:
            raise click.ClickException(f"GET {path}: there is no ETag")
        return request("GET", path, If_None_Match=tag)

    def _posts(self, seconds: int) -> list[bytes]:
        return [self._api.post(id, token) for id, token in self._tokens.items()]

    def _edits(self, seconds: int) -> list[bytes]:
        fresh = self._database.stock(EDITED)
        return [self._api.edit(id, self._tokens[author]) for id, author in fresh]

    def _deletions(self, seconds: int) -> list[bytes]:
        fresh = self._database.stock(DELETIONS * seconds)
        return [self._api.deletion(id, self._tokens[author]) for id, author in fresh]

    def _logins(self, seconds: int) -> list[bytes]:
        return [self._api.login(name) for name in self._names]

    def _sign_up(self, name: str) -> tuple[Any, str]:
        tell(self._port, self._api.registration(name))
        return self._api.identity(tell(self._port, self._api.login(name)))
