"""Where each use case runs.

An embedded store reads in microseconds, on the event loop. Its writes wait for locks and disks: one
thread of each process does that for all of them, and what waits together is committed together.
Pages that are deep in a list take milliseconds of the processor: they have a thread that gets what
others leave. A store behind a network can always keep one waiting, and serves several at once; who
reads has threads that no writer can take. Passwords have threads of their own, no more than may
compute a hash at the same moment: that bounds their memory, and a storm of logins keeps nobody else
waiting. Whether the store is ready is found out by a thread, and a connection, that has nothing
else to do.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from forum.config import Settings
from forum.domain.articles import page_number
from forum.http.dispatch import BoundedPool, Dispatch, Dispatcher, Pool, run_inline
from forum.http.group_commit import GroupCommit, Together
from forum.http.ports import PoolMetrics
from forum.services import Services
from forum.storage import Store

if TYPE_CHECKING:  # Importing it needs the folder of the metrics.
    from forum.adapters.metrics import PrometheusMetrics

P = ParamSpec("P")
T = TypeVar("T")

_NEAR = 5000
"""Entries of the index whose skipping costs less than a thread does: some 40 microseconds."""


class _Pools(NamedTuple):
    hashing: Pool
    reading: Pool
    writing: Pool
    readiness: Pool


def make_dispatcher(
    settings: Settings,
    services: Services,
    store: Store,
    together: Together,
    metrics: "PrometheusMetrics | None",
) -> Dispatcher:
    """What runs each use case where it belongs; `together` commits what an embedded store wrote."""
    users, sessions, articles = services.users, services.sessions, services.articles
    pools = _pools(settings, store, together, metrics)
    reading: Dispatch = run_inline if store.is_embedded else pools.reading
    paging = _near_pages_inline(pools.reading, settings) if store.is_embedded else pools.reading
    return Dispatcher(
        {
            users.register: pools.hashing,
            sessions.log_in: pools.hashing,
            sessions.change_password: pools.hashing,
            sessions.authenticate: reading,
            sessions.list_all: reading,
            sessions.touch: pools.writing,
            sessions.log_out: pools.writing,
            sessions.end: pools.writing,
            sessions.end_others: pools.writing,
            users.profile: reading,
            articles.read: reading,
            articles.latest: paging,
            articles.latest_by: paging,
            articles.post: pools.writing,
            articles.edit: pools.writing,
            articles.delete: pools.writing,
            store.require_ready: pools.readiness,
        },
        services=[users, sessions, articles],
        close=pools,
    )


def _pools(
    settings: Settings, store: Store, together: Together, metrics: "PrometheusMetrics | None"
) -> _Pools:
    timeout = settings.store_timeout

    def noted(name: str) -> PoolMetrics | None:
        return metrics.of_pool(name) if metrics else None

    def pool(name: str, size: int, *, low_priority: bool = False) -> Pool:
        return BoundedPool(
            name, size, timeout, store.within, low_priority=low_priority, metrics=noted(name)
        )

    return _Pools(
        pool("hashing", settings.hashes, low_priority=True),
        pool(
            "reading",
            1 if store.is_embedded else settings.threads,
            low_priority=store.is_embedded,
        ),
        GroupCommit("writing", timeout, together, metrics=noted("writing"))
        if store.is_embedded
        else pool("writing", settings.threads),
        pool("readiness", 1, low_priority=True),
    )


def _near_pages_inline(far: Dispatch, settings: Settings) -> Dispatch:
    """Far pages leave the event loop alone: the entries of the index before them are skipped."""
    last_near = max(1, _NEAR // settings.page_size)

    async def dispatch(use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        page = page_number(str(named["page"]))
        is_near = named["before"] is not None or page <= last_near
        return await (run_inline if is_near else far)(use_case, *arguments, **named)

    return dispatch
