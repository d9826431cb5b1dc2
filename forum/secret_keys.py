"""The secrets that settings name, which sign the tokens."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from forum.adapters.secret_file import load_secrets
from forum.config import Settings
from forum.environment import BadSetting


def refuse_orphaned_secret(settings: Settings) -> None:
    """Raise `BadSetting` where a secret lies beside no database.

    A new one would hide that it is gone.
    """
    path, database = settings.database_url.secret_file, settings.database_url.file
    is_there = database and database.exists() and database.stat().st_size
    if path and database and path.exists() and not is_there:
        raise BadSetting(
            f"{path} is there, but no database is at {database}: it was moved or removed; put it "
            "back, restore a backup, or remove the secret too to begin with an empty forum"
        )


def secret_file(settings: Settings) -> Path | None:
    """Where the secrets are; None where they are in the settings, or end with the process."""
    return None if settings.secret_key else settings.database_url.secret_file


def secrets_of(settings: Settings) -> Callable[[], Sequence[str]]:
    """What loads the secrets that sign and verify, the signing one first. It raises OSError."""
    path = secret_file(settings)
    if path:
        return lambda: load_secrets(path)
    if settings.secret_key:
        given = [settings.secret_key, *settings.old_secret_keys]
        return lambda: given
    passing = [secrets.token_hex()]  # As short-lived as the users whom it names.
    return lambda: passing


def require_secret_or_first_start(settings: Settings, path: Path) -> None:
    """Raise `BadSetting` where the file is damaged, or missing and not to be made."""
    if path.exists():
        with explained_secret():
            load_secrets(path)
    elif settings.database_url.file is None:
        raise BadSetting(
            "FORUM_SECRET_KEY is not set, and for PostgreSQL none is made: every machine needs the "
            "same; make one with: openssl rand -hex 32"
        )


@contextmanager
def explained_secret() -> Iterator[None]:
    """OSError comes out as `BadSetting`."""
    try:
        yield
    except OSError as error:
        raise BadSetting(f"the secret cannot be used: {error}") from error
