"""Every store, as the repositories that the domain sees. A fourth store is one more line here."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.bulk import MemoryArchive
from forum.adapters.memory.rate_limits import MemoryCounters
from forum.adapters.memory.sessions import MemorySessions
from forum.adapters.memory.tables import MemoryStore
from forum.adapters.memory.users import MemoryUsers
from forum.adapters.sql.articles import SqlArticles
from forum.adapters.sql.bulk import SqlArchive
from forum.adapters.sql.databases import open_database
from forum.adapters.sql.migrations import migrate
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.rate_limits import SqlCounters
from forum.adapters.sql.sessions import SqlSessions
from forum.adapters.sql.users import SqlUsers
from forum.domain.model import Account, Author
from forum.domain.moving.ports import Archive
from forum.domain.ports import ArticleRepository, Counters, SessionRepository, UserRepository
from tests.conftest import CHEAP_HASHER

NOW = datetime(2020, 2, 2, 0, 17, 49, 735642, UTC)
DAY = timedelta(days=1)


@dataclass
class Store:
    """The repositories on one store."""

    users: UserRepository
    sessions: SessionRepository
    articles: ArticleRepository
    counters: Counters
    archive: Archive

    def author(self, username: str = "alice#1") -> Author:
        """A new user, as the author of articles."""
        user = self.users.add(username, CHEAP_HASHER.hash(username), NOW)
        return Author(user.id, user.username)

    def account(self, username: str = "alice#1") -> Account:
        """A new user's account."""
        self.author(username)
        account = self.users.find_account(username)
        assert account
        return account


def memory_store() -> Store:
    store = MemoryStore()
    return Store(
        MemoryUsers(store),
        MemorySessions(store),
        MemoryArticles(store),
        MemoryCounters(),
        MemoryArchive(store),
    )


def sql_store(database: PeeweeDatabase) -> Store:
    return Store(
        SqlUsers(database),
        SqlSessions(database),
        SqlArticles(database),
        SqlCounters(database),
        SqlArchive(database),
    )


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    if database_url == "memory://":
        yield memory_store()
        return
    database = open_database(database_url, timeout=5)
    database.create()
    migrate(database)
    yield sql_store(database)
    database.close()


@pytest.fixture
def alice(store: Store) -> Author:
    return store.author("alice#1")


@pytest.fixture
def bob(store: Store, alice: Author) -> Author:
    return store.author("bobby#2")


def at_once(count: int, function: Callable[[], object]) -> list[object]:
    """What each of as many threads gets, or the exception that it meets."""

    def run() -> object:
        try:
            return function()
        except Exception as error:  # noqa: BLE001
            return type(error)

    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(run) for _ in range(count)]]
