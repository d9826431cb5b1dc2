"""The secrets that sign the tokens, in a table of their own inside the file of a backup."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw

from forum.adapters.sql.schema import Schema, difference
from forum.adapters.sql.sqlite_schema import opened, read_schema
from forum.domain.ports import MIN_SECRET_BYTES

_TABLE = "forum_backup_secrets"
_CREATE = f"CREATE TABLE {_TABLE} (position INTEGER PRIMARY KEY, secret TEXT NOT NULL)"
_READ = f"SELECT secret FROM {_TABLE} ORDER BY position LIMIT 100"  # noqa: S608


def put_secrets(path: Path, secrets: Sequence[str]) -> None:
    """Lay the secrets, the signing one first, into a database that nobody uses. Raises OSError."""
    with opened(path) as connection, connection:
        connection.execute(_CREATE)
        connection.executemany(
            f"INSERT INTO {_TABLE} (secret) VALUES (?)",  # noqa: S608
            [(each,) for each in secrets],
        )


def take_secrets(path: Path) -> list[str]:
    """The secrets in a database that nobody uses, none where it has none; no trace of them stays.

    Raises OSError, also for what cannot be secrets of ours.
    """
    with opened(path) as connection:
        found = read_schema(connection, [_TABLE])
        if not found:
            return []
        if verdict := difference(_expected(), found):
            raise OSError(f"the backup {verdict}")
        rows = connection.execute(_READ)
        secrets = [secret for (secret,) in rows]
        connection.pragma("journal_mode", "memory")  # On the disk it would keep what is dropped.
        connection.pragma("secure_delete", 1)
        connection.execute(f"DROP TABLE {_TABLE}")
    return _checked(secrets)


def _checked(secrets: Sequence[object]) -> list[str]:
    good = [each for each in secrets if isinstance(each, str) and _is_secret(each)]
    if not good or len(good) < len(secrets):
        raise OSError("the backup has a secret in it that cannot be used")
    return good


def _is_secret(text: str) -> bool:
    """Whether it can stand on a line of the file of secrets."""
    return text.split() == [text] and len(text.encode()) >= MIN_SECRET_BYTES


def _expected() -> Schema:
    with closing(apsw.Connection(":memory:")) as connection:
        connection.execute(_CREATE)
        return read_schema(connection)
