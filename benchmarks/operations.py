"""Requests whose way through the service is followed, and everything that is called for them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.exchange import Exchange, no_answer, nothing, responding
from benchmarks.noop import app as noop
from benchmarks.parts import Forum, Parts, Service
from forum.http.guard import Application, Guard

_BODY_LIMIT = 64 * 1024

Step = Callable[[], Any]
"""What is timed: it may be a coroutine function."""


@dataclass(frozen=True)
class Operation:
    """A request, and the service that answers it."""

    name: str
    method: str
    path: str
    body: object
    service: Service
    parts: Parts | None
    """What is below the framework, where the request gets there."""

    def steps(self) -> dict[str, Step]:
        """Everything that is called, from the outside to the inside."""
        apps: dict[str, Application] = {
            "nothing": nothing,
            "no-op": noop,
            "guard": Guard(noop, lambda _: _BODY_LIMIT, _BODY_LIMIT, lambda _: None),
            "uncached": self.service.uncached,
            "whole": self.service.app,
        }
        if self.parts:
            apps["request"] = responding(no_answer)
            apps["resource"] = responding(self.parts.resource)
        exchange = Exchange(self.method, self.path, self.body)
        steps: dict[str, Step] = {name: partial(exchange.ask, app) for name, app in apps.items()}
        if self.parts:
            steps["use case"] = self.parts.use_case
            steps["adapter"] = self.parts.adapter
        if self.parts and self.parts.database:
            steps["database"] = self.parts.database
        return steps


def operations_of(forum: Forum) -> list[Operation]:
    """All of them, on this forum: first those that are answered from the database."""
    busy, quiet, token = forum.busy, forum.quiet, forum.token
    body = {"access-token": token}
    remembered = replace(quiet.verification(token), database=None)
    return [
        Operation("list of ten", "GET", "/articles", None, busy, busy.latest(forum.page_size)),
        Operation("one article", "GET", "/articles/77", None, busy, busy.article(77)),
        Operation("token check", "POST", "/verify-token", body, busy, busy.verification(token)),
        Operation("remembered list", "GET", "/articles", None, quiet, None),
        Operation("remembered token", "POST", "/verify-token", body, quiet, remembered),
    ]
