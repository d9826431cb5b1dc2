"""What workers count, in the files of prometheus-client, one set for each slot of a worker.

Imported only where metrics are served: the folder must be in the environment by then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TypedDict

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
"""Those that are told apart: clients can invent any number of others."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HIT, MISS = "hit", "miss"
_MEMORY = {True: HIT, False: MISS, None: ""}

_LOGINS = {200: "success", 401: "failure", 429: "limited"}


class _Common(TypedDict):
    """What all metrics are made with."""

    namespace: str
    registry: CollectorRegistry
    """Nobody asks it: the files are read instead."""


class PrometheusMetrics:
    """What a worker counts."""

    def __init__(self, slot: int) -> None:
        """`slot` is a number that no other living worker has; its counts go on from those before.

        Files named by process would pile up, and a scrape would read all that ever were.
        """
        values.ValueClass = values.MultiProcessValue(lambda: slot)
        common: _Common = {"namespace": "forum", "registry": CollectorRegistry()}
        counter = partial(Counter, **common)
        gauge = partial(Gauge, **common, multiprocess_mode="livesum")
        histogram = partial(Histogram, **common, buckets=_SECONDS)
        # One write where each of what the master makes of it would be one.
        answers = histogram("answers", "", ["method", "route", "status", "memory"])
        refusals = counter("refusals", "Refusals by reason", ["reason"])
        logins = counter("logins", "Logins by result", ["result"])
        self._store_errors = counter("store_errors", "Answers that the store could not give")
        self._read_in_flight: Callable[[], int] = int
        self._in_flight = gauge("requests_in_flight", "Requests that are being answered")
        self._connections = gauge("connections", "Open connections")
        self._running = gauge("pool_running", "Calls that have a thread of the pool", ["pool"])
        self._waiting = gauge("pool_waiting", "Calls that wait for a thread of the pool", ["pool"])
        self._waits = histogram("pool_wait_seconds", "Waits for a thread of the pool", ["pool"])
        # Looking a child up costs as much as counting.
        self._observer = cache(lambda *labels: answers.labels(*labels).observe)
        self._refusal = cache(lambda reason: refusals.labels(reason).inc)
        self._login = cache(lambda result: logins.labels(result).inc)

    def count_answer(
        self,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        *,
        is_remembered: bool | None,
        refusal: str | None,
    ) -> None:
        """Count an answer, and the name of the refusal that it is, if it is one."""
        method = method if method in METHODS else "other"
        self._observer(method, route or "none", status, _MEMORY[is_remembered])(seconds)
        if refusal:
            self._refusal(refusal)()
        if refusal == "Unavailable":
            self._store_errors.inc()
        if route == "/login" and status in _LOGINS:
            self._login(_LOGINS[status])()

    def watch_in_flight(self, read: Callable[[], int]) -> None:
        self._read_in_flight = read

    def note_levels(self, *, connections: int) -> None:
        """Note how many connections and requests there are at this moment."""
        # Once in a while: a write for each request costs a twentieth of it.
        self._connections.set(connections)
        self._in_flight.set(self._read_in_flight())

    def of_pool(self, name: str) -> "PrometheusPoolMetrics":
        """Where the use of the pool of this name is noted."""
        return PrometheusPoolMetrics(
            self._waiting.labels(name).inc,
            self._running.labels(name).inc,
            self._waits.labels(name).observe,
        )


@dataclass(frozen=True)
class PrometheusPoolMetrics:
    """The use of one pool of threads."""

    change_waiting: Callable[[float], None]
    change_running: Callable[[float], None]
    note_wait: Callable[[float], None]
