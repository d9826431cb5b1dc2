"""The SQLite database of the program that this one replaces."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from forum.domain.importing import OldArticle, OldUser


class NotTheOldDatabase(Exception):
    """The file is no such database."""


class FlaskApiDatabase:
    """An `OldForum` in a file, which is opened for reading only."""

    def __init__(self, path: Path) -> None:
        """Raises `NotTheOldDatabase`."""
        try:
            uri = path.absolute().as_uri() + "?mode=ro"
            with closing(apsw.Connection(uri, _FLAGS)) as connection, connection:
                self._users: list[Any] = connection.execute(_USERS).fetchall()
                self._articles: list[Any] = connection.execute(_ARTICLES).fetchall()
        except apsw.Error as error:
            raise NotTheOldDatabase(str(error)) from error

    def users(self) -> list[OldUser]:
        return [
            OldUser(id, _text(name), _text(password), _time(date))
            for id, name, password, date in self._users
        ]

    def articles(self) -> list[OldArticle]:
        return [
            OldArticle(
                id,
                _text(title),
                _text(text),
                _time(date),
                user_id,
                is_mended=_is_mended(title) or _is_mended(text),
            )
            for id, title, text, date, user_id in self._articles
        ]


_FLAGS = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI

# As bytes: SQLite does not promise that what it calls text is Unicode.
_USERS = """
    SELECT id, CAST(username AS BLOB), CAST(password AS BLOB), CAST(date_registered AS BLOB)
    FROM user ORDER BY id
"""
_ARTICLES = """
    SELECT id, CAST(title AS BLOB), CAST(text AS BLOB), CAST(date_posted AS BLOB), user_id
    FROM article ORDER BY id
"""


def _text(stored: bytes | None) -> str | None:
    """The text, with U+FFFD in the place of what no store of today can keep."""
    return None if stored is None else stored.decode(errors="replace").replace("\0", "\ufffd")


def _is_mended(stored: bytes | None) -> bool:
    return (_text(stored) or "").encode() != (stored or b"")


def _time(stored: bytes | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat((stored or b"").decode())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
