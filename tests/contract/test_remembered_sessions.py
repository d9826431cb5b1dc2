"""Sessions that are remembered are held to the same promises, whatever else is done to accounts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forum.adapters.memory.bulk import MemoryBulkStore
from forum.adapters.memory.tables import MemoryTables
from forum.adapters.remembered_sessions import RememberedSessions
from forum.domain.model import Account, Principal, Session, TokenClaims, User
from forum.domain.repositories import Repositories
from forum.repositories import memory_repositories
from tests.contract.conftest import Store
from tests.contract.test_sessions import *  # noqa: F403
from tests.contract.test_users import *  # noqa: F403

NOW = datetime(2020, 2, 2, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


class AskedTwice(RememberedSessions):
    """Remembers everything before it is asked."""

    def find(self, claims: TokenClaims, now: datetime) -> Principal | None:
        super().find(claims, now)
        return super().find(claims, now)


@pytest.fixture
def store() -> Store:
    tables = MemoryTables()
    plain = memory_repositories(tables)
    sessions = AskedTwice(plain.sessions, lambda: tables.version)
    repositories = Repositories(
        plain.users, sessions, plain.articles, plain.rate_counters, plain.audit, plain.transaction
    )
    return Store(repositories, MemoryBulkStore(tables))


CHANGES: dict[str, Callable[[Store, Account, Session], object]] = {
    "touched": lambda store, _, session: store.sessions.touch(session.id, LATER),
    "ended": lambda store, account, session: store.sessions.end(session.id, account.user.id),
    "all ended": lambda store, account, _: store.sessions.end_all(account.user.id),
    "disabled": lambda store, account, _: store.users.set_disabled(
        account.user.id, is_disabled=True
    ),
    "password changed": lambda store, account, _: store.users.change_password_hash(
        account.user.id, "new"
    ),
    "deleted": lambda store, account, _: store.users.delete(account.user.id, None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_happens_to_a_session_is_seen_at_once(
    store: Store, alice_account: Account, change: Callable[[Store, Account, Session], object]
) -> None:
    session = store.sessions.begin(alice_account, NOW, LATER)
    assert session
    claims = TokenClaims(session.id, alice_account.user.id, LATER)
    before = store.sessions.find(claims, NOW)
    change(store, alice_account, session)
    after = store.sessions.find(claims, NOW)
    assert before
    assert after != before


class Counting:
    """Sessions that count how often one is looked for, and are found unless they are not."""

    def __init__(self) -> None:
        self.looked = 0
        self.version: object = 1
        self.is_there = True
        inner: Any = self
        self.begin = self.find_all = self.touch = self.end = self.end_all = None
        self.remembered = RememberedSessions(inner, lambda: self.version)

    def find(self, claims: TokenClaims, now: datetime) -> Principal | None:
        self.looked += 1
        session = Session(claims.session_id, NOW, NOW, LATER)
        return Principal(User(claims.user_id, "alice#1", NOW), session) if self.is_there else None

    def ask(self, session_id: int = 1, now: datetime = NOW) -> bool:
        return self.remembered.find(TokenClaims(session_id, 1, LATER), now) is not None


def test_while_nothing_is_written_each_session_is_looked_for_once() -> None:
    sessions = Counting()
    assert [sessions.ask(1), sessions.ask(2), sessions.ask(1), sessions.ask(2)] == [True] * 4
    assert sessions.looked == 2


def test_a_new_version_ends_what_was_remembered() -> None:
    sessions = Counting()
    sessions.ask()
    sessions.version, sessions.is_there = 2, False
    assert not sessions.ask()


def test_without_a_version_nothing_is_remembered() -> None:
    sessions = Counting()
    sessions.version = None
    assert [sessions.ask(), sessions.ask(), sessions.looked] == [True, True, 2]


def test_what_was_remembered_expires() -> None:
    sessions = Counting()
    assert [sessions.ask(), sessions.ask(now=LATER)] == [True, False]


def test_what_is_not_there_is_looked_for_again() -> None:
    sessions = Counting()
    sessions.is_there = False
    assert [sessions.ask(), sessions.ask(), sessions.looked] == [False, False, 2]


def test_what_is_remembered_is_bounded() -> None:
    sessions = Counting()
    for id in range(10_000):
        sessions.ask(id)
    assert len(sessions.remembered._found) <= 4096
