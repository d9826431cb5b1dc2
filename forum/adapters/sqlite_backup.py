"""Saving a SQLite database while it is in use, and bringing it back."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from forum.adapters.sqlite import SqliteDatabase


def backup(database: SqliteDatabase, target: Path) -> None:
    """Write one state of the whole database, later than this call, to a new file while others write on.

    Raises FileExistsError if the file is there, and other OSError.
    """
    with _new_file(target) as draft:
        database.execute_sql("VACUUM INTO ?", (os.fspath(draft),))


def restore(source: Path, target: Path) -> None:
    """Make a database of a backup, after checking that it is sound.

    Raises FileExistsError if a database is there already, and other OSError.
    """
    for remains in (target.with_name(target.name + suffix) for suffix in ("-wal", "-shm")):
        if remains.exists():
            raise FileExistsError(f"{remains} exists: it belongs to another database")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _new_file(target) as draft:
        shutil.copyfile(source, draft)
        _check(draft)


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """An empty private file that gets the target's name, on the disk too, when all went well."""
    if target.exists():
        raise FileExistsError(f"{target} exists: it is not overwritten")
    draft = target.with_name(f".{target.name}.part")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        yield draft
        _sync(draft)
        os.link(draft, target)  # fails where the name was taken meanwhile
        _sync(target.parent)
    finally:
        draft.unlink()


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
    connection = apsw.Connection(os.fspath(path), apsw.SQLITE_OPEN_READONLY)
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
