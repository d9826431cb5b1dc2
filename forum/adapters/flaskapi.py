"""The SQLite database of the program that this one replaces."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from forum.adapters.sql.sqlite_interrupts import give_way
from forum.domain.moving.importing import LegacyArticle, LegacyUser


class NotTheLegacyDatabase(Exception):
    """The file is no such database."""


class FlaskApiDatabase:
    """An `LegacyForum` in a file, which is opened for reading only."""

    def __init__(self, path: Path) -> None:
        """Raises `NotTheLegacyDatabase`."""
        if not path.is_file():  # To open a pipe would wait for its other end.
            raise NotTheLegacyDatabase("it is no file")
        try:
            uri = path.absolute().as_uri() + "?mode=ro"
            with closing(apsw.Connection(uri, _FLAGS)) as connection, connection:
                give_way(connection, busy_timeout=0)
                _require_plain_table(connection, "user")
                _require_plain_table(connection, "article")
                self._users: list[Any] = connection.execute(_USERS).fetchall()
                self._articles: list[Any] = connection.execute(_ARTICLES).fetchall()
        except apsw.Error as error:
            raise NotTheLegacyDatabase(" ".join(str(error).split())) from error

    def users(self) -> list[LegacyUser]:
        return [
            LegacyUser(id, _text(name), _text(password), _time(date))
            for id, name, password, date in self._users
        ]

    def articles(self) -> list[LegacyArticle]:
        return [
            LegacyArticle(
                id,
                _text(title),
                _text(text),
                _time(date),
                user_id,
                has_replacements=_has_replacements(title) or _has_replacements(text),
            )
            for id, title, text, date, user_id in self._articles
        ]


_FLAGS = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI

# As bytes: SQLite does not promise that what it calls text is Unicode, nor that an id is a number.
_USERS = """
    SELECT CASE typeof(id) WHEN 'integer' THEN id ELSE CAST(id AS BLOB) END,
        CAST(username AS BLOB), CAST(password AS BLOB), CAST(date_registered AS BLOB)
    FROM main.user ORDER BY id
"""
_ARTICLES = """
    SELECT CASE typeof(id) WHEN 'integer' THEN id ELSE CAST(id AS BLOB) END,
        CAST(title AS BLOB), CAST(text AS BLOB), CAST(date_posted AS BLOB),
        CASE typeof(user_id) WHEN 'integer' THEN user_id ELSE CAST(user_id AS BLOB) END
    FROM main.article ORDER BY id
"""


def _require_plain_table(connection: apsw.Connection, name: str) -> None:
    """Raise `NotTheLegacyDatabase` unless the table holds all that it shows.

    Views, virtual tables and computed columns are programs, which may never end. Asked by pragmas,
    beside which the file can put nothing of its own.
    """
    tables = connection.execute(f"PRAGMA main.table_list({name})").fetchall()
    if [kind for schema, _, kind, *_ in tables if schema == "main"] != ["table"]:
        raise NotTheLegacyDatabase(f"it has no table {name}")
    columns = connection.execute(f"PRAGMA main.table_xinfo({name})").fetchall()
    if any(is_computed for *_, is_computed in columns):
        raise NotTheLegacyDatabase(f"its table {name} has computed columns")


def _text(stored: bytes | None) -> str | None:
    """The text, with U+FFFD in the place of what no store of today can keep."""
    return None if stored is None else stored.decode(errors="replace").replace("\0", "\ufffd")


def _has_replacements(stored: bytes | None) -> bool:
    return (_text(stored) or "").encode() != (stored or b"")


def _time(stored: bytes | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat((stored or b"").decode())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
