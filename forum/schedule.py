"""Where each use case runs.

An embedded store reads in microseconds, on the event loop; its writes wait for locks and disks,
one writer for each process is enough, since a second would only wait for the first, and what waits
for it is committed together. Pages that
are deep in a list take milliseconds of the processor: they have a thread that gets what others
leave. A store
behind a network can always keep one waiting, and serves several at once; who reads has threads
that no writer can take. Passwords have threads of their own, no more than may compute a hash at
the same moment: that bounds their memory, and a storm of logins keeps nobody else waiting.
Whether the store is ready is found out by a thread, and a connection, that has nothing else to
do.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from forum.config import Settings
from forum.domain.articles import page_number
from forum.http.dispatch import BoundedPool, Dispatch, Dispatcher, Pool, run_inline
from forum.http.group_commit import GroupCommit, Together
from forum.services import Services
from forum.storage import Store

if TYPE_CHECKING:  # Importing it needs the folder of the metrics.
    from forum.adapters.metrics import PrometheusMetrics

P = ParamSpec("P")
T = TypeVar("T")

_NEAR = 5000
"""Entries of the index whose skipping costs less than a thread does: some 40 microseconds."""


def make_dispatcher(
    settings: Settings,
    services: Services,
    store: Store,
    together: Together,
    metrics: "PrometheusMetrics | None",
) -> Dispatcher:
    """What runs each use case where it belongs; `together` commits what an embedded store wrote."""
    users, sessions, articles = services.users, services.sessions, services.articles
    timeout, within = settings.store_timeout, store.within

    def pool(name: str, size: int, *, low_priority: bool = False) -> BoundedPool:
        noted = metrics.of_pool(name) if metrics else None
        return BoundedPool(name, size, timeout, within, low_priority=low_priority, metrics=noted)

    def grouped(name: str) -> Pool:
        noted = metrics.of_pool(name) if metrics else None
        return GroupCommit(name, timeout, together, metrics=noted)

    hashing = pool("hashing", settings.hashes, low_priority=True)
    threads = 1 if store.is_embedded else settings.threads
    far = pool("reading", threads, low_priority=store.is_embedded)
    writing = grouped("writing") if store.is_embedded else pool("writing", settings.threads)
    readiness = pool("readiness", 1, low_priority=True)
    reading: Dispatch = run_inline if store.is_embedded else far
    last_near = max(1, _NEAR // settings.page_size)
    paging: Dispatch = _near_pages_inline(far, last_near) if store.is_embedded else far
    return Dispatcher(
        {
            users.register: hashing,
            sessions.log_in: hashing,
            sessions.change_password: hashing,
            sessions.authenticate: reading,
            sessions.list_all: reading,
            sessions.touch: writing,
            sessions.log_out: writing,
            sessions.end: writing,
            sessions.end_others: writing,
            users.profile: reading,
            articles.read: reading,
            articles.latest: paging,
            articles.latest_by: paging,
            articles.post: writing,
            articles.edit: writing,
            articles.delete: writing,
            store.require_ready: readiness,
        },
        services=[users, sessions, articles],
        close=[hashing, far, writing, readiness],
    )


def _near_pages_inline(far: Dispatch, last_near: int) -> Dispatch:
    """Far pages leave the event loop alone: the entries of the index before them are skipped."""

    async def dispatch(use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        page = page_number(str(named["page"]))
        is_near = named["before"] is not None or page <= last_near
        return await (run_inline if is_near else far)(use_case, *arguments, **named)

    return dispatch
