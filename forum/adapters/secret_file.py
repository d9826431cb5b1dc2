"""A secret in a file that only its owner can read."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def load_secret(path: Path) -> str:
    """The secret in the file, made at the first call. Raises OSError.

    Any number of processes may call this at once: all get the same secret, and nobody ever
    sees half of one.
    """
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        _offer_secret(path)
        return path.read_text().strip()


def _offer_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):
        os.link(draft, path)  # fails where another process was faster
    draft.unlink()
