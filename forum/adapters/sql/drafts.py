"""Files that get their names when they are whole."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def drafted_database(target: Path) -> Iterator[Path]:
    """The path of an empty private file for a SQLite database, closed again when this ends.

    It gets the target's name then. After an exception it is gone, with what SQLite put beside it.
    Raises OSError, also if the target is there in the end.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".forum.", dir=target.parent)
    os.close(descriptor)
    wal = Path(f"{name}-wal")
    try:
        yield Path(name)
        if wal.exists():  # SQLite keeps it where it could not move all into the database.
            raise OSError(f"{target} cannot be written")
        os.link(name, target)
        sync(target.parent)
    finally:
        for path in (Path(name), wal, Path(f"{name}-shm")):
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
