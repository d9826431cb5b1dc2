"""The composition root: builds the service by hand."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from forum.adapters.audit_log import ProcessAuditLog
from forum.adapters.clock import SystemClock
from forum.adapters.passwords import Argon2Passwords
from forum.adapters.tokens import JwtTokens
from forum.config import Settings
from forum.domain.articles import ArticleLimits
from forum.domain.ports import PasswordHasher
from forum.domain.rate_limits import RateLimits
from forum.http.app import BodyLimits, create_app
from forum.http.dispatch import BoundedPool, Dispatch, Dispatcher, run_inline
from forum.http.guard import Application
from forum.secret_keys import secrets_of
from forum.services import Services, wire
from forum.storage import Store, open_store

if TYPE_CHECKING:  # Importing it needs the folder of the metrics.
    from forum.adapters.metrics import PrometheusMetrics

P = ParamSpec("P")
T = TypeVar("T")

_FIELDS_LIMIT = 64 * 1024
"""Bytes for everything in a body but an article's title and text."""

_JSON_CHARACTER = 12
"""Bytes that JSON may take for one character: two escaped surrogates, like \\ud83d\\ude00."""


def app(metrics: "PrometheusMetrics | None" = None) -> Application:
    """The service as the environment wants it; what it does is counted where there are metrics.

    `gunicorn -k forum.server.Worker 'forum.main:app()'`. Nothing is opened, made or migrated yet:
    that is for `storage.prepare`, once, before any process serves. Where the store or the secret
    cannot be used, requests that need it are answered with 503, and served again as soon as it can.
    Raises `BadSetting`.
    """
    settings = Settings.from_environment()
    return build(settings, open_store(settings), metrics=metrics)


def build(
    settings: Settings,
    store: Store,
    *,
    hasher: PasswordHasher | None = None,
    metrics: "PrometheusMetrics | None" = None,
) -> Application:
    """The service on a store, which may be one of your own: see `Store`."""
    services = wire(
        store.repositories,
        hasher=hasher or Argon2Passwords(settings.hash_memory, settings.hash_passes),
        tokens=JwtTokens(secrets_of(settings)),
        clock=SystemClock(),
        audit_log=ProcessAuditLog(),
        audit_lifetime=timedelta(seconds=settings.audit_lifetime),
        token_lifetime=timedelta(seconds=settings.token_lifetime),
        article_limits=_article_limits(settings),
        rate_limits=_rate_limits(settings),
    )
    dispatcher = _dispatcher(settings, services, store, metrics)

    def close() -> None:
        dispatcher.close()
        store.close()

    return create_app(
        services.users,
        services.sessions,
        services.articles,
        dispatcher,
        proxies=settings.trusted_proxies,
        body_limits=_body_limits(settings),
        cors_origins="*" if settings.cors_origins == ("*",) else list(settings.cors_origins),
        pages=settings.pages,
        require_ready=store.require_ready,
        store_version=store.version,
        cache_memory=settings.cache_memory,
        render_openapi=partial(render_openapi, settings),
        access_log=settings.access_log,
        metrics=metrics,
        close=close,
    )


def render_openapi(settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of a service with these settings."""
    from forum.http.openapi import render  # noqa: PLC0415  # few ask for it, and it is large

    return render(_article_limits(settings))


def _article_limits(settings: Settings) -> ArticleLimits:
    return ArticleLimits(settings.page_size, settings.title_limit, settings.text_limit)


def _dispatcher(
    settings: Settings, services: Services, store: Store, metrics: "PrometheusMetrics | None"
) -> Dispatcher:
    """Where each use case runs.

    An embedded store reads in microseconds, on the event loop; its writes wait for locks and disks,
    and one writer for each process is enough, since a second would only wait for the first. A store
    behind a network can always keep one waiting, and serves several at once; who reads has threads
    that no writer can take. Passwords have threads of their own, no more than may compute a hash at
    the same moment: that bounds their memory, and a storm of logins keeps nobody else waiting.
    Whether the store is ready is found out by a thread, and a connection, that has nothing else to
    do.
    """
    users, sessions, articles = services.users, services.sessions, services.articles
    timeout, threads, within = settings.store_timeout, settings.threads, store.within

    def pool(name: str, size: int, *, low_priority: bool = False) -> BoundedPool:
        noted = metrics.of_pool(name) if metrics else None
        return BoundedPool(name, size, timeout, within, low_priority=low_priority, metrics=noted)

    hashing = pool("hashing", settings.hashes, low_priority=True)
    far, writing = pool("reading", threads), pool("writing", 1 if store.is_embedded else threads)
    readiness = pool("readiness", 1, low_priority=True)
    reading: Dispatch = run_inline if store.is_embedded else far
    paging: Dispatch = _near_pages_inline(far) if store.is_embedded else far
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


def _near_pages_inline(far: Dispatch) -> Dispatch:
    """Far pages leave the event loop alone: the entries of the index before them are skipped."""

    async def dispatch(use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        is_near = named["before"] is not None or len(str(named["page"] or "")) <= 2
        return await (run_inline if is_near else far)(use_case, *arguments, **named)

    return dispatch


def _body_limits(settings: Settings) -> BodyLimits:
    characters = settings.title_limit + settings.text_limit
    article = _FIELDS_LIMIT + _JSON_CHARACTER * characters
    return BodyLimits(
        fields=min(_FIELDS_LIMIT, settings.body_limit),
        article=min(article, settings.body_limit),
        together=settings.body_memory,
    )


def _rate_limits(settings: Settings) -> RateLimits | None:
    if not settings.throttle:
        return None
    return RateLimits(
        failures_of_name=settings.login_failures,
        failures_of_address=settings.login_failures_address,
        failures_of_all=settings.login_failures_all,
        window=timedelta(seconds=settings.login_window),
        registrations_in_minute=settings.registrations_minute,
        registrations_in_hour=settings.registrations_hour,
        posts_in_minute=settings.posts_minute,
    )
