"""The composition root: builds the graph of the service by hand."""

import os
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from peewee import PeeweeException

from forum.adapters.clock import SystemClock
from forum.adapters.events import LogEvents
from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.rate_limits import MemoryCounters
from forum.adapters.memory.sessions import MemorySessions
from forum.adapters.memory.tables import MemoryStore
from forum.adapters.memory.users import MemoryUsers
from forum.adapters.passwords import Argon2Passwords
from forum.adapters.secret_file import load_secrets, make_secret
from forum.adapters.sql.articles import SqlArticles
from forum.adapters.sql.bulk import SqlArchive
from forum.adapters.sql.databases import SQLITE_PREFIX, BadUrl, open_database
from forum.adapters.sql.drafts import drafted_database
from forum.adapters.sql.migrations import SchemaTooNew, migrate, status
from forum.adapters.sql.migrations.runner import BadVersion
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.rate_limits import SqlCounters
from forum.adapters.sql.schema import SchemaDiffers
from forum.adapters.sql.sessions import SqlSessions
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.users import SqlUsers
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
from forum.http.app import BodyLimits, create_app
from forum.http.dispatch import BoundedPool, Dispatch, Dispatcher, Within, run_inline
from forum.http.guard import Application

P = ParamSpec("P")
T = TypeVar("T")

MEMORY_URL = "memory://"

_FIELDS_LIMIT = 64 * 1024
"""Bytes for everything in a body but an article's title and text."""

_JSON_CHARACTER = 12
"""Bytes that JSON may take for one character: two escaped surrogates, like \\ud83d\\ude00."""


@dataclass(frozen=True, slots=True)
class Store:
    """The repositories on one store, and how to let go of it."""

    users: UserRepository
    sessions: SessionRepository
    articles: ArticleRepository
    counters: Counters
    release: Callable[[], object]
    within: Within
    is_embedded: bool


def app() -> Application:
    """The service as the environment wants it: `gunicorn -k forum.server.Worker 'forum.main:app()'`.

    Nothing is opened, made or migrated yet: that is for `prepare`, once, before any process serves.
    Where the store or the secret cannot be used, requests that need it are answered with 503, and
    served again as soon as it can. Raises `BadSetting`.
    """
    settings = Settings.from_environment()
    hasher = Argon2Passwords(settings.hash_memory, settings.hash_passes)
    return build(settings, hasher)


def prepare(settings: Settings) -> None:
    """Make and migrate the database, and then the secret, where they are not there. Raises `BadSetting`."""
    refuse_orphaned_secret(settings)
    if _has_secret_file(settings):
        _require_secret_or_first_start(settings)
    if settings.database_url != MEMORY_URL:
        with opened_database(settings) as database:
            migrate(database)
    if _has_secret_file(settings):
        with _explained_secret():
            make_secret(secret_file(settings))


def require_usable(settings: Settings) -> None:
    """Raise `BadSetting` where the store, its schema or the secret cannot be used; change nothing."""
    with _explained_secret():
        _secrets_of(settings)()
    if settings.database_url != MEMORY_URL:
        with opened_database(settings) as database:
            database.require()
            _require_current(database)


def refuse_orphaned_secret(settings: Settings) -> None:
    """Raise `BadSetting` where a secret lies beside no database: a new one would hide that it is gone."""
    path, database = secret_file(settings), database_file(settings)
    if database and path.exists() and not (database.exists() and database.stat().st_size):
        raise BadSetting(
            f"{path} is there, but no database is at {database}: it was moved or removed; put it "
            "back, restore a backup, or remove the secret too to begin with an empty forum"
        )


def _require_secret_or_first_start(settings: Settings) -> None:
    path = secret_file(settings)
    if path.exists():
        with _explained_secret():
            load_secrets(path)
    elif database_file(settings) is None:
        raise BadSetting(
            "FORUM_SECRET_KEY is not set, and for PostgreSQL none is made: every machine needs the "
            "same; make one with: openssl rand -hex 32"
        )


@contextmanager
def _explained_secret() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadSetting(f"the secret cannot be used: {error}") from error


@contextmanager
def opened_database(settings: Settings) -> Iterator[PeeweeDatabase]:
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
        reason = " ".join(str(error.__cause__ or error).split())
        raise BadSetting(f"the database cannot be used: {reason}") from error
    finally:
        database.close()


@contextmanager
def opened_archive(settings: Settings, *, create: bool = False) -> Iterator[SqlArchive]:
    """The whole database that the settings name, made or migrated where that is asked for.

    What is made is there when all went well, and not before.
    """
    made = _made_in_the_end(settings) if create else nullcontext(settings)
    with made as where, opened_database(where) as database:
        if create:
            migrate(database)
        database.require()
        _require_current(database)
        database.give_way_to_signals()
        yield SqlArchive(database)


@contextmanager
def _made_in_the_end(settings: Settings) -> Iterator[Settings]:
    """Settings of a draft, where they name a file that is not there."""
    database = _database(settings)
    try:
        if not isinstance(database, SqliteDatabase) or database.path.exists():
            yield settings
            return
        with drafted_database(database.path.resolve()) as draft:
            yield replace(settings, database_url=f"{SQLITE_PREFIX}{draft}")
    except OSError as error:
        raise BadSetting(str(error)) from error


@contextmanager
def opened_administration(settings: Settings) -> Iterator[Administration]:
    """What operators do to the accounts in the database that the settings name."""
    with opened_database(settings) as database:
        database.require()
        _require_current(database)
        yield Administration(
            SqlUsers(database),
            SqlSessions(database),
            Argon2Passwords(settings.hash_memory, settings.hash_passes),
            SystemClock(),
            LogEvents(),
        )


def _require_current(database: PeeweeDatabase) -> None:
    if any(version.applied is None for version in status(database)):
        raise BadSetting("the database has an older schema: run forum migrate on it first")


def hash_all(settings: Settings, passwords: Iterable[str]) -> Generator[str, None, None]:
    """The hashes of the passwords, in their order, computed on all processors until it is closed."""
    processors = os.cpu_count() or 1
    hasher = Argon2Passwords(settings.hash_memory, settings.hash_passes)
    pool = ThreadPoolExecutor(processors)
    try:
        yield from pool.map(hasher.hash, passwords)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


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
    dispatcher = _dispatcher(
        settings, users, sessions, articles, within=store.within, is_embedded=store.is_embedded
    )

    def release() -> None:
        dispatcher.close()
        store.release()

    return create_app(
        users,
        sessions,
        articles,
        dispatcher,
        proxies=settings.trusted_proxies,
        body_limits=_body_limits(settings),
        cors_origins="*" if settings.cors_origins == ("*",) else list(settings.cors_origins),
        release=release,
    )


def _database(settings: Settings) -> PeeweeDatabase:
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
            nullcontext,
            is_embedded=True,
        )
    database = _database(settings)
    return Store(
        SqlUsers(database),
        SqlSessions(database),
        SqlArticles(database),
        SqlCounters(database),
        database.close,
        database.within,
        database.is_embedded,
    )


def _dispatcher(
    settings: Settings,
    users: UserService,
    sessions: SessionService,
    articles: ArticleService,
    *,
    within: Within,
    is_embedded: bool,
) -> Dispatcher:
    """Where each use case runs.

    An embedded store reads in microseconds, on the event loop; its writes wait for locks and disks,
    and one writer for each process is enough, since a second would only wait for the first. A store
    behind a network can always keep one waiting, and serves several at once; who reads has threads
    that no writer can take. Passwords have threads of their own, no more than may compute a hash at the same moment: that bounds their memory, and
    a storm of logins keeps nobody else waiting.
    """
    timeout, threads = settings.store_timeout, settings.threads
    accounts = BoundedPool("accounts", settings.hashes, timeout, within, low_priority=True)
    far = BoundedPool("reading", threads, timeout, within)
    writing = BoundedPool("writing", 1 if is_embedded else threads, timeout, within)
    reading: Dispatch = run_inline if is_embedded else far
    paging: Dispatch = _near_pages_inline(far) if is_embedded else far
    return Dispatcher(
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
        services=[users, sessions, articles],
        close=[accounts, far, writing],
    )


def _body_limits(settings: Settings) -> BodyLimits:
    characters = settings.title_limit + settings.text_limit
    article = _FIELDS_LIMIT + _JSON_CHARACTER * characters
    return BodyLimits(
        fields=min(_FIELDS_LIMIT, settings.body_limit),
        article=min(article, settings.body_limit),
        together=settings.body_memory,
    )


def _near_pages_inline(far: Dispatch) -> Dispatch:
    """The entries of the index before a page are skipped one by one, so far pages leave the event loop alone."""

    async def dispatch(use_case: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        is_near = len(str(named["page"] or "")) <= 2
        return await (run_inline if is_near else far)(use_case, *arguments, **named)

    return dispatch


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
    if _has_secret_file(settings):
        return lambda: load_secrets(secret_file(settings))
    if settings.secret_key:
        given = [settings.secret_key, *settings.old_secret_keys]
        return lambda: given
    passing = [secrets.token_hex()]  # As short-lived as the users whom it names.
    return lambda: passing


def _has_secret_file(settings: Settings) -> bool:
    return not settings.secret_key and settings.database_url != MEMORY_URL


def secret_file(settings: Settings) -> Path:
    """Where the secrets are if the operator has set none."""
    return data_folder(settings) / "secret.key"


def data_folder(settings: Settings) -> Path:
    """Where the service keeps its files: beside the database, or in `data` if that is elsewhere."""
    database = database_file(settings)
    return database.parent if database else Path("data")


def database_file(settings: Settings) -> Path | None:
    """Where the SQLite database is; None for another kind of store."""
    if not settings.database_url.startswith(SQLITE_PREFIX):
        return None
    return Path(settings.database_url.removeprefix(SQLITE_PREFIX))
