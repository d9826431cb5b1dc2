"""Every store, as the repositories that the domain sees. A fourth store is one more line here."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from forum.adapters.memory.bulk import MemoryBulkStore
from forum.adapters.memory.tables import MemoryTables
from forum.adapters.sql.bulk import SqlBulkStore
from forum.adapters.sql.migrations import migrate
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.domain.model import Account, Author
from forum.domain.moving.ports import BulkStore
from forum.domain.ports import (
    ArticleRepository,
    AuditTrail,
    RateCounters,
    SessionRepository,
    UserRepository,
)
from forum.domain.repositories import Repositories
from forum.repositories import memory_repositories, sql_repositories
from tests.conftest import CHEAP_HASHER
from tests.support.stores import open_database

NOW = datetime(2020, 2, 2, 0, 17, 49, 735642, UTC)
DAY = timedelta(days=1)


@dataclass
class Store:
    """One store, with all its ports."""

    repositories: Repositories
    bulk: BulkStore

    @property
    def users(self) -> UserRepository:
        return self.repositories.users

    @property
    def sessions(self) -> SessionRepository:
        return self.repositories.sessions

    @property
    def articles(self) -> ArticleRepository:
        return self.repositories.articles

    @property
    def rate_counters(self) -> RateCounters:
        return self.repositories.rate_counters

    @property
    def audit(self) -> AuditTrail:
        return self.repositories.audit

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
    tables = MemoryTables()
    return Store(memory_repositories(tables), MemoryBulkStore(tables))


def sql_store(database: PeeweeDatabase) -> Store:
    return Store(sql_repositories(database), SqlBulkStore(database))


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


@pytest.fixture
def alice_account(store: Store) -> Account:
    return store.account("alice#1")


@pytest.fixture
def bob_account(store: Store, alice_account: Account) -> Account:
    return store.account("bobby#2")


def at_once(count: int, function: Callable[[], object]) -> list[object]:
    """What each of as many threads gets, or the exception that it meets."""

    def run() -> object:
        try:
            return function()
        except Exception as error:  # noqa: BLE001
            return type(error)

    with ThreadPoolExecutor(count) as pool:
        return [each.result() for each in [pool.submit(run) for _ in range(count)]]
