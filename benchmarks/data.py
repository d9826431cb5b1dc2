"""The rows that are there when a measurement begins, the same in every database.

In plain SQL, which all of them understand, and which suits the schema of any version.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import apsw

USERS = 20_000
WRITER = "writer"
"""How the names of those begin who log in and write; each server registers them itself."""

_LEAST_OF_AUTHOR = 20
_PAGES = 1000
_START = datetime(2020, 1, 1, tzinfo=UTC)
_TEXT = "Some text. " * 50

ARTICLE = {"title": "The title of an article", "text": _TEXT}
"""What writers write."""

Columns = Mapping[str, str]
"""The names of columns, and what of them is made of the number `n` of a row."""


@dataclass(frozen=True)
class Size:
    """How many articles there are at first, and how many users write more."""

    articles: int
    writers: int = 64

    @property
    def authors(self) -> int:
        """Of how many users they are, those with the lowest ids: a page of each of them is full."""
        return max(1, min(USERS, self.articles // _LEAST_OF_AUTHOR))

    @property
    def pages(self) -> int:
        """How many pages are asked for: no more than there are of the fewest articles."""
        return min(_PAGES, self.articles // 10)


def date_posted(number: int) -> datetime:
    """When the article of this number, which begins with 1, was posted."""
    return _START + timedelta(seconds=number)


class Sql(Protocol):
    """A connection, as apsw and psycopg have them."""

    def execute(self, statement: Any, /) -> Any:
        """The rows that the statement gives."""


class Database(ABC):
    """The database of a server, which is written behind its back between two measurements."""

    author: str
    """The column of an article's author."""
    name: str
    """The column of a user's name."""
    order: str = "id"
    """The column that numbers articles in the order in which they came."""
    ids: Columns = {}
    """Of an article, where it does not come by itself."""
    date: str
    """When the article `n` was posted."""

    def __init__(self, size: Size) -> None:
        self.size = size

    def fill(self) -> None:
        """Fill the empty tables."""
        articles = self._articles(self.author_of(f"1 + n % {self.size.authors}"))
        with self.opened() as connection:
            connection.execute(_insertion("users", USERS, self.users))
            connection.execute(_insertion("articles", self.size.articles, {**self.ids, **articles}))

    def stock(self, number: int) -> list[tuple[Any, Any]]:
        """The ids of fresh articles, of all writers in turn, each with that of its author."""
        articles = self._articles("writer.id")
        with self.opened() as connection:
            connection.execute(_insertion("articles", number, articles, self._writers()))
            return list(connection.execute(f"SELECT id, {self.author} FROM articles {self._fresh}"))

    def restore(self) -> None:
        """Remove the articles that came since it was filled."""
        with self.opened() as connection:
            connection.execute(f"DELETE FROM articles {self._fresh}")

    def forget(self) -> None:
        """Commit something, so that what a server remembers is no longer good."""
        self.stock(1)
        self.restore()

    @property
    @abstractmethod
    def users(self) -> Columns:
        """Of a user."""

    @abstractmethod
    def opened(self) -> AbstractContextManager[Sql]:
        """A connection for one transaction."""

    def author_of(self, number: str) -> str:
        """The id of the user with this number."""
        return number

    @property
    def _fresh(self) -> str:
        return f"WHERE {self.order} > {self.size.articles}"

    def _articles(self, author: str) -> Columns:
        return {
            self.author: author,
            "date_posted": self.date,
            "title": "'Article number ' || n",
            "text": f"'{_TEXT}'",
        }

    def _writers(self) -> str:
        numbered = "SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM users"
        writers = f"({numbered} WHERE {self.name} LIKE '{WRITER}%') AS writer"
        return f"JOIN {writers} ON place = n % {self.size.writers}"


class ForumDatabase(Database):
    """The tables of the forum, of any version."""

    author, name = "user_id", "username"
    url: str
    """Where it is, as the forum wants it."""

    @property
    def users(self) -> Columns:
        return {
            "username": "'user-' || n",
            "password_hash": "'no hash'",
            "date_registered": self.date,
        }


class SqliteForum(ForumDatabase):
    """The tables of the forum in a file."""

    date = "strftime('%Y-%m-%dT%H:%M:%S.000000', 1577836800 + n, 'unixepoch')"

    def __init__(self, size: Size, path: Path) -> None:
        super().__init__(size)
        self.url = f"sqlite:///{path}"
        self._path = path

    def opened(self) -> AbstractContextManager[Sql]:
        return opened_sqlite(self._path)


@contextmanager
def opened_sqlite(path: Path) -> Iterator[Sql]:
    """A connection for one transaction, with the memory to make large indexes."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.set_busy_timeout(5000)
        connection.pragma("synchronous", "off")
        connection.pragma("cache_size", -500_000)
        with connection:
            yield connection


def _insertion(table: str, rows: int, columns: Columns, more: str = "") -> str:
    following = f"SELECT n + 1 FROM numbers WHERE n < {rows}"
    numbers = f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL {following})"
    values = ", ".join(columns.values())
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) {numbers} SELECT {values} FROM numbers {more}"
    )
