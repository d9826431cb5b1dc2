"""A database for each kind of URL."""

from pathlib import Path

from forum.adapters.sqlite import SqliteDatabase

_SQLITE = "sqlite:///"


class BadUrl(Exception):
    """There is no database of this kind; the text says what there is."""


def open_database(url: str, timeout: float) -> SqliteDatabase:
    """The database at `sqlite:///relative/path` or `sqlite:////absolute/path`; nothing is touched yet.

    `timeout` is how many seconds a statement may wait for others. Raises `BadUrl`.
    """
    path = url.removeprefix(_SQLITE)
    if path == url or path in ("", ":memory:"):
        raise BadUrl("must be like sqlite:///data/forum.db or memory://")
    return SqliteDatabase(Path(path), timeout)
