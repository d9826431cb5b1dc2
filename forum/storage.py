"""The stores that settings name: opening them, preparing them, and what operators need."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

from peewee import PeeweeException

from forum.adapters.memory.tables import MemoryTables
from forum.adapters.secret_file import make_secret
from forum.adapters.sql.bulk import SqlBulkStore
from forum.adapters.sql.drafts import drafted_database
from forum.adapters.sql.migrations import SchemaTooNew, StillNeeded, migrate, status
from forum.adapters.sql.migrations.runner import BadVersion
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.schema import SchemaDiffers
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.config import Settings
from forum.database_url import DatabaseUrl, Memory, Postgres, Sqlite
from forum.domain.errors import Unavailable
from forum.domain.repositories import Repositories
from forum.environment import BadSetting
from forum.http.group_commit import Together
from forum.repositories import memory_repositories, sql_repositories
from forum.secret_keys import (
    explained_secret,
    refuse_orphaned_secret,
    require_secret_or_first_start,
    secret_file,
    secrets_of,
)


@dataclass(frozen=True, slots=True)
class Store:
    """Repositories to serve, and how to treat what is behind them."""

    repositories: Repositories
    is_embedded: bool = True
    """Whether reading takes microseconds and waits for nothing: then the event loop does it."""
    within: Callable[[float], AbstractContextManager[object]] = nullcontext
    """Limits how long, in seconds, the thread that enters it waits for the store."""
    together: Together = lambda: nullcontext(nullcontext())
    """How what waits together is committed together."""
    require_ready: Callable[[], None] = lambda: None
    """Raises `Unavailable` where the store does not answer, or is not up to date."""
    version: Callable[[], object | None] = lambda: None
    """What is another one as soon as anything was committed; None where that cannot be told."""
    close: Callable[[], None] = lambda: None
    """Called once, when the server stops."""


def open_store(settings: Settings) -> Store:
    """The store that the settings name; nothing is touched yet. Raises `BadSetting`."""
    if isinstance(settings.database_url, Memory):
        tables = MemoryTables()
        return Store(memory_repositories(tables), version=lambda: tables.version)
    database = open_database(settings.database_url, settings.store_timeout)
    return Store(
        sql_repositories(database),
        database.is_embedded,
        database.within,
        database.together,
        lambda: _require_ready(database),
        database.version,
        database.close,
    )


def open_database(url: DatabaseUrl, timeout: float) -> PeeweeDatabase:
    """The database at the URL; nothing is touched yet.

    `timeout` is how many seconds a statement may take or wait for others. Raises `BadSetting`.
    """
    try:
        match url:
            case Sqlite(file):
                return SqliteDatabase(file, timeout)
            case Postgres(dsn):
                return _open_postgres(dsn, timeout)
    except OSError as error:
        raise BadSetting(str(error)) from error
    raise BadSetting("this needs a database: a store in memory ends with its process")


def _open_postgres(dsn: str, timeout: float) -> PeeweeDatabase:
    try:
        import psycopg  # noqa: PLC0415  # an optional extra

        from forum.adapters.sql.postgres import PostgresDatabase  # noqa: PLC0415
    except ImportError:
        raise BadSetting(
            "PostgreSQL needs the extra [postgres], from the checkout or the wheel file: "
            "see docs/operations.md"
        ) from None
    try:
        return PostgresDatabase(dsn, timeout)
    except psycopg.ProgrammingError:
        raise BadSetting("the URL of the database is no URL that PostgreSQL understands") from None


def prepare(settings: Settings, running: int | None = None) -> None:
    """Make and migrate the database, and then the secret, where they are not there.

    A program whose version of the schema is `running` goes on serving. Raises `BadSetting`, also
    where it could not.
    """
    refuse_orphaned_secret(settings)
    path = secret_file(settings)
    if path:
        require_secret_or_first_start(settings, path)
    if not isinstance(settings.database_url, Memory):
        with opened_database(settings) as database:
            migrate(database, running=running)
    if path:
        with explained_secret():
            make_secret(path)


def require_usable(settings: Settings) -> None:
    """Raise `BadSetting` where store, schema or secret cannot be used; change nothing."""
    with explained_secret():
        secrets_of(settings)()
    if not isinstance(settings.database_url, Memory):
        with opened_database(settings) as database:
            database.require()
            _require_current(database)


@contextmanager
def opened_database(settings: Settings) -> Iterator[PeeweeDatabase]:
    """The database that the settings name, closed in the end.

    What goes wrong comes out as `BadSetting`.
    """
    database = open_database(settings.database_url, settings.store_timeout)
    try:
        with _explained():
            yield database
    finally:
        database.close()


@contextmanager
def _explained() -> Iterator[None]:
    """What goes wrong with a database comes out as `BadSetting`."""
    try:
        yield
    except SchemaDiffers as error:
        raise BadSetting(f"the database {error}: nothing was changed") from None
    except (SchemaTooNew, StillNeeded, BadVersion, OSError) as error:
        raise BadSetting(str(error)) from error
    except (PeeweeException, Unavailable) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise BadSetting(f"the database cannot be used: {reason}") from error


@contextmanager
def opened_sqlite(settings: Settings, instead: str) -> Iterator[SqliteDatabase]:
    """As `opened_database`; where it is another kind, the refusal names what that has `instead`."""
    with opened_database(settings) as database:
        if not isinstance(database, SqliteDatabase):
            raise BadSetting(f"this is for SQLite; PostgreSQL has {instead}")
        yield database


@contextmanager
def opened_bulk_store(settings: Settings, *, create: bool = False) -> Iterator[SqlBulkStore]:
    """The whole database that the settings name, made or migrated where that is asked for.

    What is made is there when all went well, and not before.
    """
    made = _made_in_the_end(settings) if create else nullcontext(settings)
    with made as where, opened_database(where) as database:
        if create:
            migrate(database)
        database.require()
        _require_current(database, exactly=True)
        database.give_way_to_signals()
        yield SqlBulkStore(database)


@contextmanager
def opened_repositories(settings: Settings) -> Iterator[Repositories]:
    """The repositories on the database that the settings name, which must be up to date."""
    with opened_database(settings) as database:
        database.require()
        _require_current(database)
        yield sql_repositories(database)


@contextmanager
def _made_in_the_end(settings: Settings) -> Iterator[Settings]:
    """Settings of a draft, where they name a file that is not there."""
    file = settings.database_url.file
    try:
        if file is None or file.exists():
            yield settings
            return
        with drafted_database(file.resolve()) as draft:
            yield replace(settings, database_url=Sqlite(draft))
    except OSError as error:
        raise BadSetting(str(error)) from error


def _require_ready(database: PeeweeDatabase) -> None:
    try:
        with _explained():
            database.require()
            _require_current(database)
    except BadSetting as error:
        raise Unavailable(str(error)) from error


def _require_current(database: PeeweeDatabase, *, exactly: bool = False) -> None:
    versions = status(database)
    if any(version.applied is None for version in versions):
        raise BadSetting("the database has an older schema: run forum migrate on it first")
    if exactly and any(version.is_later for version in versions):
        raise SchemaTooNew
