"""The forum, of this checkout or another one."""

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.api import PASSWORD
from benchmarks.calls import Calls
from benchmarks.client import request
from benchmarks.data import ARTICLE, ForumDatabase, date_posted
from benchmarks.servers import WORKERS, Target, free_port, run, running

_LIMITS = [
    "FORUM_LOGIN_FAILURES",
    "FORUM_LOGIN_FAILURES_ADDRESS",
    "FORUM_LOGIN_FAILURES_ALL",
    "FORUM_REGISTRATIONS_MINUTE",
    "FORUM_REGISTRATIONS_HOUR",
    "FORUM_POSTS_MINUTE",
]
_NO_LIMIT = str(10**9)
"""What is counted against it costs as much as ever."""


class ForumApi:
    """An `Api` in the words of the README."""

    deleted = 200
    has_tags = True

    def latest(self) -> str:
        return "/articles"

    def page(self, number: int, lap: int = 0) -> str:
        return f"/articles?page={'0' * lap}{number}"

    def older(self, article: int, lap: int = 0) -> str:
        date = date_posted(article).replace(microsecond=lap, tzinfo=None)
        return f"/articles?before={date.isoformat(timespec='microseconds')},{article}"

    def article(self, number: int, lap: int = 0) -> str:
        return f"/articles/{number}{_again(lap)}"

    def user(self, number: int, lap: int = 0) -> str:
        return f"/users/{number}{_again(lap)}"

    def latest_of(self, user: int, lap: int = 0) -> str:
        return f"/users/{user}/articles{_again(lap)}"

    def registration(self, name: str) -> bytes:
        return request("POST", "/register", {"username": name, "password": PASSWORD})

    def login(self, name: str) -> bytes:
        return request("POST", "/login", {"username": name, "password": PASSWORD})

    def identity(self, answer: dict[str, Any]) -> tuple[Any, str]:
        return answer["user_id"], answer["access-token"]

    def verification(self, token: str) -> bytes | None:
        return request("POST", "/verify-token", {"access-token": token})

    def post(self, user: Any, token: str) -> bytes:
        return request("POST", "/articles/new", {**ARTICLE, "access-token": token})

    def edit(self, article: Any, token: str) -> bytes:
        return request("PUT", f"/articles/{article}/edit", {**ARTICLE, "access-token": token})

    def deletion(self, article: Any, token: str) -> bytes:
        return request("DELETE", f"/articles/{article}/delete", Authorization=f"Bearer {token}")


@contextmanager
def forum(
    name: str, checkout: Path, folder: Path, database: ForumDatabase, settings: Mapping[str, str]
) -> Iterator[Target]:
    """The forum of a checkout, on a database that is made and filled first.

    Raises ClickException.
    """
    port, url = free_port(), database.url
    variables = {"PYTHONPATH": str(checkout), "FORUM_DATABASE_URL": url}
    variables |= {"FORUM_BIND": f"127.0.0.1:{port}", "FORUM_WORKERS": str(WORKERS)}
    variables["FORUM_SECRET_KEY"] = secrets.token_hex()
    program = [sys.executable, "-m", "forum"]
    folder.mkdir()
    run([*program, "migrate"], folder, **variables)
    database.fill()
    known = run([*program, "config"], folder, **variables)
    variables |= {each: _NO_LIMIT for each in _LIMITS if f"{each}=" in known}
    with running([*program, "serve"], folder, port, **{**variables, **settings}):
        calls = Calls(ForumApi(), port, database).by_name()
        yield Target(name, port, database.size.articles, calls, database.restore)


def _again(lap: int) -> str:
    # For its memory another request each time, for the service the same.
    return f"?page={'0' * lap}1" if lap else ""
