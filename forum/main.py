"""The composition root: builds the graph of the service by hand."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from peewee import PeeweeException

from forum.adapters.clock import SystemClock
from forum.adapters.databases import SQLITE_PREFIX, BadUrl, open_database
from forum.adapters.events import LogEvents
from forum.adapters.memory import (
    MemoryArticles,
    MemoryCounters,
    MemorySessions,
    MemoryStore,
    MemoryUsers,
)
from forum.adapters.migrations import SchemaTooNew, migrate, status
from forum.adapters.migrations.runner import BadVersion
from forum.adapters.passwords import Argon2Passwords
from forum.adapters.schema import SchemaDiffers
from forum.adapters.secret_file import load_secrets
from forum.adapters.sql import Database, SqlArticles, SqlUsers
from forum.adapters.sql_archive import SqlArchive
from forum.adapters.sql_counters import SqlCounters
from forum.adapters.sql_sessions import SqlSessions
from forum.adapters.sqlite import SqliteDatabase
from forum.adapters.tokens import JwtTokens
from forum.config import BadSetting, Settings
from forum.domain.administration import Administration
from forum.domain.articles import ArticleService, Limits
from forum.domain.errors import Unavailable
from forum.domain.ports import (
    ArticleRepository,
    Counters,
    PasswordHasher,
    SessionRepository,
    UserRepository,
)
from forum.domain.sessions import SessionService
from forum.domain.throttle import Limits as ThrottleLimits
from forum.domain.throttle import Throttle
from forum.domain.users import UserService
from forum.http.app import create_app
from forum.http.guard import Application
from forum.http.lanes import Call, Lane, Lanes, call_at_once

T = TypeVar("T")

MEMORY_URL = "memory://"


@dataclass(frozen=True, slots=True)
class Store:
    """The repositories on one store, and how to let go of it."""

    users: UserRepository
    sessions: SessionRepository
    articles: ArticleRepository
    counters: Counters
    release: Callable[[], object]
    is_embedded: bool


def app() -> Application:
    """The service as the environment wants it: `gunicorn -k asgi 'forum.main:app()'`. Raises `BadSetting`."""
    settings = Settings.from_environment()
    prepare(settings)
    hasher = Argon2Passwords(settings.hash_memory, settings.hash_passes)
    return build(settings, hasher)


def prepare(settings: Settings) -> None:
    """Make and migrate the database, and make the secret, where they are not there. Raises `BadSetting`."""
    if settings.database_url == MEMORY_URL:
        _make_secret(settings)
        return
    with opened_database(settings) as database:
        status(database)  # First: nothing is laid beside the database of another program.
        _make_secret(settings)
        migrate(database)


def _make_secret(settings: Settings) -> None:
    try:
        _secrets_of(settings)()
    except OSError as error:
        raise BadSetting(f"the secret cannot be used: {error}") from error


@contextmanager
def opened_database(settings: Settings) -> Iterator[Database]:
    """The database that the settings name, closed in the end; what goes wrong comes out as `BadSetting`."""
    database = _database(settings)
    try:
        yield database
    except SchemaTooNew:
        raise BadSetting(
            "the database was made by a later version of the forum: install that one"
        ) from None
    except SchemaDiffers as error:
        raise BadSetting(f"the database {error}: nothing was changed") from None
    except (BadVersion, OSError) as error:
        raise BadSetting(str(error)) from error
    except (PeeweeException, Unavailable) as error:
        raise BadSetting(f"the database cannot be used: {error.__cause__ or error}") from error
    finally:
        database.release()


@contextmanager
def opened_archive(settings: Settings, *, create: bool = False) -> Iterator[SqlArchive]:
    """The whole database that the settings name, made or migrated where that is asked for."""
    with opened_database(settings) as database:
        if create:
            migrate(database)
        database.demand()
        _demand_current(database)
        yield SqlArchive(database)


@contextmanager
def opened_administration(settings: Settings) -> Iterator[Administration]:
    """What operators do to the accounts in the database that the settings name."""
    with opened_database(settings) as database:
        database.demand()
        _demand_current(database)
        yield Administration(
            SqlUsers(database),
            SqlSessions(database),
            Argon2Passwords(settings.hash_memory, settings.hash_passes),
            SystemClock(),
            LogEvents(),
        )


def _demand_current(database: Database) -> None:
    if any(version.applied is None for version in status(database)):
        raise BadSetting("the database has an older schema: run forum migrate on it first")


def hash_all(settings: Settings, passwords: Iterable[str]) -> Iterator[str]:
    """The hashes of the passwords, in their order, computed on all processors."""
    processors = os.cpu_count() or 1
    hasher = Argon2Passwords(settings.hash_memory, settings.hash_passes)
    with ThreadPoolExecutor(processors) as pool:
        yield from pool.map(hasher.hash, passwords)


def build(settings: Settings, hasher: PasswordHasher) -> Application:
    """The graph of the service on a database that is ready."""
    store = _open_store(settings)
    clock, events = SystemClock(), LogEvents()
    throttle = Throttle(store.counters, clock, events, _throttle_limits(settings))
    users = UserService(store.users, hasher, clock, throttle, events)
    sessions = SessionService(
        store.users,
        store.sessions,
        hasher,
        JwtTokens(_secrets_of(settings)),
        clock,
        throttle,
        events,
        timedelta(seconds=settings.token_lifetime),
    )
    limits = Limits(settings.page_size, settings.title_limit, settings.text_limit)
    articles = ArticleService(store.articles, users, clock, throttle, events, limits)
    lanes = _lanes(settings, users, sessions, articles, is_embedded=store.is_embedded)

    def release() -> None:
        lanes.close()
        store.release()

    return create_app(
        users,
        sessions,
        articles,
        lanes,
        proxies=settings.trusted_proxies,
        body_limit=settings.body_limit,
        cors_origins="*" if settings.cors_origins == ("*",) else list(settings.cors_origins),
        release=release,
    )


def _database(settings: Settings) -> Database:
    try:
        return open_database(settings.database_url, settings.store_timeout)
    except BadUrl as error:
        raise BadSetting(f"the URL of the database {error}") from None
    except OSError as error:
        raise BadSetting(str(error)) from error


def _open_store(settings: Settings) -> Store:
    if settings.database_url == MEMORY_URL:
        memory = MemoryStore()
        return Store(
            MemoryUsers(memory),
            MemorySessions(memory),
            MemoryArticles(memory),
            MemoryCounters(),
            lambda: None,
            is_embedded=True,
        )
    database = _database(settings)
    is_embedded = isinstance(database, SqliteDatabase)
    return Store(
        SqlUsers(database),
        SqlSessions(database),
        SqlArticles(database),
        SqlCounters(database),
        database.release,
        is_embedded,
    )


def _lanes(
    settings: Settings,
    users: UserService,
    sessions: SessionService,
    articles: ArticleService,
    *,
    is_embedded: bool,
) -> Lanes:
    """Where each use case runs.

    An embedded store reads in microseconds, on the event loop; its writes wait for locks and disks,
    and one writer for each process is enough, since a second would only wait for the first. A store
    behind a network can always keep one waiting, and serves several at once. Passwords have threads
    of their own, no more than may compute a hash at the same moment: that bounds their memory, and
    a storm of logins keeps nobody else waiting.
    """
    accounts = Lane("accounts", settings.hashes, settings.store_timeout, steps_back=True)
    storing = Lane("storing", settings.threads, settings.store_timeout)
    writing = Lane("writing", 1, settings.store_timeout) if is_embedded else storing
    reading: Call = call_at_once if is_embedded else storing
    paging: Call = _near_pages_at_once(storing) if is_embedded else storing
    return Lanes(
        {
            users.register: accounts,
            sessions.log_in: accounts,
            sessions.change_password: accounts,
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
        },
        close=[accounts, storing, writing],
    )


def _near_pages_at_once(far: Call) -> Call:
    """The entries of the index before a page are skipped one by one, so far pages leave the event loop alone."""

    async def call(use_case: Callable[..., T], *arguments: Any) -> T:
        is_near = len(arguments[-1] or "") <= 2
        return await (call_at_once if is_near else far)(use_case, *arguments)

    return call


def _throttle_limits(settings: Settings) -> ThrottleLimits | None:
    if not settings.throttle:
        return None
    return ThrottleLimits(
        failures_of_name=settings.login_failures,
        failures_of_address=settings.login_failures_address,
        failures_of_all=settings.login_failures_all,
        window=timedelta(seconds=settings.login_window),
        registrations_in_minute=settings.registrations_minute,
        registrations_in_hour=settings.registrations_hour,
        posts_in_minute=settings.posts_minute,
    )


def _secrets_of(settings: Settings) -> Callable[[], Sequence[str]]:
    if settings.secret_key:
        given = [settings.secret_key, *settings.old_secret_keys]
        return lambda: given
    if settings.database_url == MEMORY_URL:
        passing = [secrets.token_hex()]  # As short-lived as the users whom it names.
        return lambda: passing
    return lambda: load_secrets(secret_file(settings))


def secret_file(settings: Settings) -> Path:
    """Where the secrets are if the operator has set none."""
    return data_folder(settings) / "secret.key"


def data_folder(settings: Settings) -> Path:
    """Where the service keeps its files: beside the database, or in `data` if that is elsewhere."""
    if not settings.database_url.startswith(SQLITE_PREFIX):
        return Path("data")
    return Path(settings.database_url.removeprefix(SQLITE_PREFIX)).parent
