"""Saving a SQLite database while it is in use, and bringing it back."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from forum.adapters.migrations import migrate
from forum.adapters.sqlite import SqliteDatabase


def backup(database: SqliteDatabase, target: Path) -> None:
    """Write one state of the whole database, later than this call, to a new file while others write on.

    Raises FileExistsError if the file is there, and other OSError.
    """
    with _new_file(target) as draft:
        database.execute_sql("VACUUM INTO ?", (os.fspath(draft),))


def restore(source: Path, target: SqliteDatabase) -> None:
    """Make the database of a backup, sound and up to date from its first moment.

    Raises FileExistsError if a database is there already, `SchemaTooNew`, and other OSError.
    """
    path = Path(target.database)
    for remains in (_beside(path, "-wal"), _beside(path, "-shm")):
        if remains.exists():
            raise FileExistsError(f"{remains} exists: it belongs to another database")
    if _beside(source, "-wal").exists():
        raise OSError(f"{source} is a database in use: save it with forum backup")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _new_file(path) as draft:
        shutil.copyfile(source, draft)
        _check(draft)
        _migrate(draft)


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """An empty private file that gets the target's name, on the disk too, when all went well."""
    if target.exists():
        raise FileExistsError(f"{target} exists: it is not overwritten")
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
        _sync(draft)
        os.link(draft, target)  # fails where the name was taken meanwhile
        _sync(target.parent)
    finally:
        draft.unlink()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _migrate(path: Path) -> None:
    database = SqliteDatabase(path, busy_timeout=0)
    try:
        migrate(database)
    finally:
        database.release()


def _check(path: Path) -> None:
    """Raise OSError unless the file is a sound database with the forum's tables."""
    try:
        verdict, tables = _examine(path)
    except apsw.Error as error:
        raise OSError(f"the backup is no sound database: {error}") from error
    if verdict != "ok":
        raise OSError(f"the backup is damaged: {verdict}")
    if not {"users", "articles", "schema_migration"} <= tables:
        raise OSError("the backup is of another program")


def _examine(path: Path) -> tuple[str, set[str]]:
    # Immutable, or else a backup in WAL mode would get a -wal beside it that stays.
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(path.absolute().as_uri() + "?immutable=1", flags)
    try:
        [(verdict,), *_] = connection.execute("PRAGMA integrity_check").fetchall()
        rows = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        return str(verdict), {str(name) for (name,) in rows}
    finally:
        connection.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
