"""What is noted of each request, around everything that answers it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from forum.http.cache import IS_REMEMBERED
from forum.http.errors import REFUSED
from forum.http.guard import REQUEST_ID, Application, Message, Receive, Scope, Send
from forum.http.ports import RequestMetrics
from forum.logs import lines

USER_ID = "forum.user_id"
"""The key of the scope under which the id of the user who asks is left, once it is known."""

HEALTH = frozenset({"/healthz", "/readyz"})


class Exchange(NamedTuple):
    """A request and its answer."""

    scope: Scope
    route: str | None
    """As in the table of routes; None for a path that no route has."""
    status: int | None
    """None where the client went away before the answer's end."""
    size: int
    """Bytes of the body of the answer."""
    seconds: float


Observer = Callable[[Exchange], None]
RouteOf = Callable[[Scope], str | None]


class Observation:
    """An ASGI application that tells observers of each answer, just before its end is sent.

    A request that comes to no such end is told of, too.
    """

    def __init__(
        self,
        app: Application,
        route_of: RouteOf,
        observers: Sequence[Observer],
    ) -> None:
        self.in_flight = 0
        """How many requests are being answered."""
        self._app = app
        self._route_of = route_of
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status: int | None = None
        size, is_told = 0, False

        def send_observed(message: Message) -> Awaitable[None]:
            # No coroutine around a coroutine: every request passes here twice.
            nonlocal status, size, is_told
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
                if not message.get("more_body"):
                    is_told = True
                    self._tell(scope, status, size, time.perf_counter() - began)
            return send(message)

        self.in_flight += 1
        try:
            await self._app(scope, receive, send_observed)
        finally:
            self.in_flight -= 1
            if not is_told:
                self._tell(scope, None, size, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int | None, size: int, seconds: float) -> None:
        exchange = Exchange(scope, self._route_of(scope), status, size, seconds)
        for observe in self._observers:
            observe(exchange)


def counting(metrics: RequestMetrics) -> Observer:
    """The observer that counts answers."""

    def count(exchange: Exchange) -> None:
        if exchange.status is None:
            return
        scope = exchange.scope
        metrics.count_answer(
            scope["method"],
            exchange.route,
            exchange.status,
            exchange.seconds,
            is_remembered=scope.get(IS_REMEMBERED),
            refusal=scope.get(REFUSED),
        )

    return count


class AccessLog:
    """Writes a line for each request, but those that only ask whether the service is well."""

    def __init__(self, address_of: Callable[[Scope], str]) -> None:
        self._address_of = address_of

    def __call__(self, exchange: Exchange) -> None:
        scope = exchange.scope
        if exchange.route in HEALTH:
            return
        lines.write(
            "forum.access",
            "request",
            request_id=scope[REQUEST_ID],
            method=scope["method"],
            route=exchange.route,
            path=scope["raw_path"].decode("latin-1"),
            status=exchange.status,
            duration=round(exchange.seconds, 6),
            bytes=exchange.size,
            user=scope.get(USER_ID),
            address=self._address_of(scope),
        )
