"""Saving a SQLite database while it is in use, and bringing it back."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from forum.adapters.secret_file import write_secrets
from forum.adapters.sql.backup_secrets import put_secrets, take_secrets
from forum.adapters.sql.drafts import sync
from forum.adapters.sql.migrations import migrate, status
from forum.adapters.sql.schema import SchemaDiffers
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.sqlite_check import check


def backup(database: SqliteDatabase, target: Path, secrets: Sequence[str] = ()) -> None:
    """Write one state of the whole database to a new file, while others write on.

    These secrets, and no others, are put in. Raises FileExistsError if the file is there,
    `SchemaDiffers` for what `restore` would refuse, and other OSError.
    """
    status(database)
    with _draft(target) as draft:
        database.peewee.execute_sql("VACUUM INTO ?", (os.fspath(draft),))
        take_secrets(draft)
        if secrets:
            put_secrets(draft, secrets)
        _put_in_place((draft, target))


def restore(
    source: Path, target: SqliteDatabase, secret_file: Path | None, known: Sequence[str]
) -> list[str]:
    """Make the database of a backup, sound and up to date from its first moment.

    Returns the secrets in the backup. They are written to the secret file, if there is to be one,
    unless secrets are known already.
    Raises FileExistsError if a database is there already, or a file of other secrets,
    `SchemaTooNew`, and other OSError, also where the backup is not a sound one of the forum;
    nothing is left behind then.
    """
    path = target.path
    _require_free(path)
    for remains in (_beside(path, "-wal"), _beside(path, "-shm"), _beside(path, "-journal")):
        if remains.exists():
            raise FileExistsError(f"{remains} exists: it belongs to another database")
    if _beside(source, "-wal").exists() or _beside(source, "-journal").exists():
        raise OSError(f"{source} is a database in use: save it with forum backup")
    with _made_folder(path.parent), _draft(path) as draft:
        shutil.copyfile(source, draft)
        check(draft)
        secrets = take_secrets(draft)
        _migrate(draft)
        if secret_file and secrets and not known:
            key = draft.with_name("secret")
            write_secrets(key, secrets)
            _put_in_place((draft, path), (key, secret_file))
        elif secret_file and not set(secrets) <= set(known):
            raise FileExistsError(
                f"{secret_file} has another secret than the backup: move it away first"
            )
        else:
            _put_in_place((draft, path))
    return secrets


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


def _require_free(path: Path) -> None:
    if path.exists():
        raise FileExistsError(f"{path} exists: it is not overwritten")


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """An empty private file, in a folder beside the target that goes away with all in it."""
    _require_free(target)
    try:
        made = TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:  # It names the folder, which nobody has asked for.
        raise OSError(f"{target} cannot be written: {error.strerror}") from error
    with made as folder:
        draft = Path(folder, "draft")
        draft.touch(0o600)
        yield draft


def _put_in_place(*files: tuple[Path, Path]) -> None:
    """Give each draft its name, on the disk too: all in this order, or none."""
    for draft, _ in files:
        sync(draft)
    with ExitStack() as stack:
        for draft, target in files:
            os.link(draft, target)  # fails where the name was taken by now
            stack.callback(target.unlink)
            sync(target.parent)
        stack.pop_all()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _migrate(path: Path) -> None:
    database = SqliteDatabase(path, busy_timeout=0)
    try:
        migrate(database)
    except SchemaDiffers as error:
        raise OSError(f"the backup {error}") from None
    finally:
        database.close()
