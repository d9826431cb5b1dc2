"""The composition root: builds the service by hand."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from forum.adapters.audit_log import ProcessAuditLog
from forum.adapters.clock import SystemClock
from forum.adapters.passwords import Argon2Passwords
from forum.adapters.remembered_sessions import RememberedSessions
from forum.adapters.tokens import JwtTokens
from forum.config import Settings
from forum.domain.articles import ArticleLimits
from forum.domain.ports import AuditLog, PasswordHasher
from forum.domain.rate_limits import RateLimits
from forum.domain.repositories import Repositories
from forum.http.app import BodyLimits, create_app
from forum.http.guard import Application
from forum.http.ports import StoreVersion
from forum.http.shared_version import SharedVersion
from forum.schedule import make_dispatcher
from forum.secret_keys import secrets_of
from forum.services import Services, wire
from forum.storage import Store, open_store

if TYPE_CHECKING:  # Importing it needs the folder of the metrics.
    from forum.adapters.metrics import PrometheusMetrics

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
    version = SharedVersion(store.version)
    audit_log = ProcessAuditLog()
    services = _services(settings, _remembering(store, version), audit_log, hasher)

    @contextmanager
    def together() -> Iterator[AbstractContextManager[object]]:
        with audit_log.held() as recording, store.together() as writing:
            yield _both(recording, writing)

    dispatcher = make_dispatcher(settings, services, store, together, metrics)

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
        store_version=version,
        cache_memory=settings.cache_memory,
        render_openapi=partial(render_openapi, settings),
        access_log=settings.access_log,
        metrics=metrics,
        close=close,
    )


@contextmanager
def _both(
    outer: AbstractContextManager[object], inner: AbstractContextManager[object]
) -> Iterator[None]:
    with outer, inner:
        yield


def _remembering(store: Store, version: StoreVersion) -> Repositories:
    if not store.is_embedded:  # Asking whether anything has changed would cost as much as a query.
        return store.repositories
    sessions = RememberedSessions(store.repositories.sessions, version)
    return replace(store.repositories, sessions=sessions)


def _services(
    settings: Settings,
    repositories: Repositories,
    audit_log: AuditLog,
    hasher: PasswordHasher | None,
) -> Services:
    return wire(
        repositories,
        hasher=hasher or Argon2Passwords(settings.hash_memory, settings.hash_passes),
        tokens=JwtTokens(secrets_of(settings)),
        clock=SystemClock(),
        audit_log=audit_log,
        audit_lifetime=timedelta(seconds=settings.audit_lifetime),
        token_lifetime=timedelta(seconds=settings.token_lifetime),
        article_limits=_article_limits(settings),
        rate_limits=_rate_limits(settings),
    )


def render_openapi(settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of a service with these settings."""
    from forum.http.openapi import render  # noqa: PLC0415  # few ask for it, and it is large

    return render(_article_limits(settings))


def _article_limits(settings: Settings) -> ArticleLimits:
    return ArticleLimits(settings.page_size, settings.title_limit, settings.text_limit)


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
