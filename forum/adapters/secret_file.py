"""Secrets in a file that only its owner can read: one on each line, the first signs."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from forum.domain.ports import MIN_SECRET_BYTES


def load_secrets(path: Path) -> list[str]:
    """The secrets in the file. Raises OSError, also where the file is missing or damaged."""
    try:
        lines = path.read_text("utf-8").split()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist") from None
    except UnicodeDecodeError:
        lines = []
    if not lines or any(len(line.encode()) < MIN_SECRET_BYTES for line in lines):
        raise OSError(
            f"{path} must have secrets of at least {MIN_SECRET_BYTES} bytes, one on each line"
        )
    return lines


def make_secret(path: Path) -> None:
    """Write a first secret, unless the file is there. Raises OSError.

    Any number of processes may call this at once: one writes, and nobody ever sees half of a
    secret.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, [secrets.token_hex(MIN_SECRET_BYTES)])
    with suppress(FileExistsError):
        os.link(draft, path)  # fails where another process was faster
    draft.unlink()


def add_secret(path: Path) -> None:
    """Put a new secret first, in one step. Raises OSError."""
    _draft(path, [secrets.token_hex(MIN_SECRET_BYTES), *load_secrets(path)]).replace(path)


def write_secrets(path: Path, kept: list[str]) -> None:
    """Write these secrets instead of those in the file, in one step. Raises OSError."""
    _draft(path, kept).replace(path)


def _draft(path: Path, lines: list[str]) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(descriptor)
    return draft
