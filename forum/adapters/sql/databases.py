"""A database for each kind of URL."""

from pathlib import Path

from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.sqlite import SqliteDatabase

SQLITE_PREFIX = "sqlite:///"
_POSTGRES_PREFIXES = ("postgresql://", "postgres://")


class BadUrl(Exception):
    """No database can be opened by this URL; the text says why."""


def open_database(url: str, timeout: float) -> PeeweeDatabase:
    """The database at `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://…`; nothing is touched yet.

    `timeout` is how many seconds a statement may take or wait for others. Raises `BadUrl`.
    """
    try:
        url.encode()
    except UnicodeEncodeError:  # Bytes of the command line that are none of its characters.
        raise BadUrl("is not UTF-8") from None
    if url.startswith(_POSTGRES_PREFIXES):
        return _open_postgres(url, timeout)
    path = url.removeprefix(SQLITE_PREFIX)
    if path == url or path in ("", ":memory:"):
        raise BadUrl("must be like sqlite:///data/forum.db, postgresql://host/name or memory://")
    return SqliteDatabase(Path(path), timeout)


def _open_postgres(url: str, timeout: float) -> PeeweeDatabase:
    try:
        import psycopg  # noqa: PLC0415  # an optional extra

        from forum.adapters.sql.postgres import PostgresDatabase  # noqa: PLC0415
    except ImportError:
        raise BadUrl("needs a driver for PostgreSQL: pip install 'forum[postgres]'") from None
    try:
        return PostgresDatabase("postgresql://" + url.partition("://")[2], timeout)
    except psycopg.ProgrammingError:
        raise BadUrl("is no URL that PostgreSQL understands") from None
