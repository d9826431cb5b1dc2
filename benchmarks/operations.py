"""Requests whose way through the service is followed, and everything that is called for them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.exchange import Exchange, no_answer, nothing, responding
from benchmarks.noop import app as noop
from benchmarks.parts import Forum, Parts
from forum.http.guard import Application, Guard

_BODY_LIMIT = 64 * 1024

Step = Callable[[], Any]
"""What is timed: it may be a coroutine function."""


@dataclass(frozen=True)
class Operation:
    """A request, the service that answers it, and that without a cache."""

    name: str
    method: str
    path: str
    body: object
    app: Application
    uncached: Application
    parts: Parts | None
    """What is below the framework, where the request gets there."""

    def steps(self) -> dict[str, Step]:
        """Everything that is called, from the outside to the inside."""
        apps: dict[str, Application] = {
            "nothing": nothing,
            "no-op": noop,
            "guard": Guard(noop, lambda _: _BODY_LIMIT, _BODY_LIMIT, lambda _: None),
            "uncached": self.uncached,
            "whole": self.app,
        }
        if self.parts:
            apps["request"] = responding(no_answer)
            apps["resource"] = responding(self.parts.resource)
        exchange = Exchange(self.method, self.path, self.body)
        steps: dict[str, Step] = {name: partial(exchange.ask, app) for name, app in apps.items()}
        if self.parts:
            steps["use case"] = self.parts.use_case
            steps["adapter"] = self.parts.adapter
            steps["database"] = self.parts.database
        return steps


def operations_of(forum: Forum) -> list[Operation]:
    """All of them, on this forum."""
    missing, plain = forum.with_missing_cache, forum.without_cache
    token = {"access-token": forum.token}
    return [
        Operation("list of ten", "GET", "/articles", None, missing, plain, forum.latest()),
        Operation("one article", "GET", "/articles/77", None, missing, plain, forum.article(77)),
        Operation("remembered list", "GET", "/articles", None, forum.with_cache, plain, None),
        Operation(
            "token check", "POST", "/verify-token", token, missing, plain, forum.verification()
        ),
    ]
