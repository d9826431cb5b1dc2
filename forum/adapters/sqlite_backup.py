"""Saving a SQLite database while it is in use, and bringing it back."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from forum.adapters.migrations import migrate, status
from forum.adapters.schema import SchemaDiffers
from forum.adapters.sqlite import SqliteDatabase
from forum.adapters.sqlite_check import check


def backup(database: SqliteDatabase, target: Path) -> None:
    """Write one state of the whole database, later than this call, to a new file while others write on.

    Raises FileExistsError if the file is there, `SchemaDiffers` for what `restore` would refuse, and other OSError.
    """
    status(database)
    with _new_file(target) as draft:
        database.execute_sql("VACUUM INTO ?", (os.fspath(draft),))


def restore(source: Path, target: SqliteDatabase) -> None:
    """Make the database of a backup, sound and up to date from its first moment.

    Raises FileExistsError if a database is there already, `SchemaTooNew`, and other OSError, also
    where the backup is not a sound one of the forum; nothing is left behind then.
    """
    path = Path(target.database)
    for remains in (_beside(path, "-wal"), _beside(path, "-shm"), _beside(path, "-journal")):
        if remains.exists():
            raise FileExistsError(f"{remains} exists: it belongs to another database")
    if _beside(source, "-wal").exists() or _beside(source, "-journal").exists():
        raise OSError(f"{source} is a database in use: save it with forum backup")
    with _made_folder(path.parent), _new_file(path) as draft:
        shutil.copyfile(source, draft)
        check(draft)
        _migrate(draft)


@contextmanager
def _made_folder(folder: Path) -> Iterator[None]:
    """The folder, whatever of its path was missing taken away again where something goes wrong."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):  # Something else came into it.
                each.rmdir()
        raise


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
    except SchemaDiffers as error:
        raise OSError(f"the backup {error}") from None
    finally:
        database.release()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
