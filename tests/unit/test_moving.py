from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from forum.adapters.memory.bulk import MemoryBulkStore
from forum.adapters.memory.tables import MemoryTables
from forum.domain.model import Account, Article, AuditEntry, Author, Counts, LastIds, Session, User
from forum.domain.moving.copying import (
    CopyDiffers,
    Fingerprint,
    StoreNotEmpty,
    copy,
    fingerprint_of,
)

T = TypeVar("T")

NOW = datetime(2020, 2, 2, 0, 17, 49, 735642, UTC)
INSTANT = timedelta(microseconds=1)

ALICE = Account(User(3, "alice#1", NOW), "hash of alice#1")
BOB = Account(User(7, "bobby#2", NOW), "hash of bobby#2", is_disabled=True)
FIRST = Article(5, "First", "The first text", NOW, Author(3, "alice#1"))
SECOND = Article(9, "Second", "The second text", NOW, Author(7, "bobby#2"))
SESSION = Session(31, NOW, NOW, NOW + timedelta(days=1))
OTHER_SESSION = replace(SESSION, id=35)
LAST = LastIds(8, 12, 40)
ENTRY = AuditEntry(NOW, "login", "user 7", 7, "alice#1", "192.0.2.1", "")

State = tuple[
    dict[int, Account],
    dict[int, Article],
    dict[int, tuple[int, Session]],
    list[AuditEntry],
    LastIds,
]


@dataclass
class KeptProgress:
    """Remembers what passed under which label, and how much was announced."""

    passed: dict[str, list[object]] = field(default_factory=dict)
    announced: dict[str, int | None] = field(default_factory=dict)

    def __call__(self, label: str, items: Iterable[T], length: int | None = None) -> Iterator[T]:
        self.passed[label] = []
        self.announced[label] = length
        for item in items:
            self.passed[label].append(item)
            yield item


def no_progress(label: str, items: Iterable[T], length: int | None = None) -> Iterable[T]:
    return items


class FaultyArchive(MemoryBulkStore):
    """Stores something else than it is given."""

    def __init__(
        self,
        store: MemoryTables,
        *,
        accounts: list[Account] | None = None,
        articles: list[Article] | None = None,
        sessions: list[tuple[int, Session]] | None = None,
    ) -> None:
        super().__init__(store)
        self._other_accounts, self._other_articles = accounts, articles
        self._other_sessions = sessions

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        super().add_accounts(accounts if self._other_accounts is None else self._other_accounts)

    def add_articles(self, articles: Iterable[Article]) -> None:
        super().add_articles(articles if self._other_articles is None else self._other_articles)

    def add_sessions(self, sessions: Iterable[tuple[int, Session]]) -> None:
        super().add_sessions(sessions if self._other_sessions is None else self._other_sessions)


def filled(
    accounts: Iterable[Account] = (ALICE, BOB),
    articles: Iterable[Article] = (FIRST, SECOND),
    sessions: Iterable[tuple[int, Session]] = ((3, SESSION), (7, OTHER_SESSION)),
    last: LastIds = LAST,
) -> MemoryTables:
    store = MemoryTables()
    store.accounts = {each.user.id: each for each in accounts}
    store.articles = {each.id: each for each in articles}
    store.sessions = {each.id: (user_id, each) for user_id, each in sessions}
    store.last = last
    return store


def state(store: MemoryTables) -> State:
    everything = dict(store.accounts), dict(store.articles), dict(store.sessions)
    return *everything, store.audit_entries, store.last


@pytest.fixture
def source() -> MemoryTables:
    source = filled()
    source.audit_entries = [ENTRY]
    return source


@pytest.fixture
def target() -> MemoryTables:
    return MemoryTables()


def test_a_copy_has_everything_that_its_source_has(
    source: MemoryTables, target: MemoryTables
) -> None:
    copy(MemoryBulkStore(source), MemoryBulkStore(target), no_progress)
    assert state(target) == state(source)


def test_the_source_of_a_copy_stays_as_it_was(source: MemoryTables, target: MemoryTables) -> None:
    before = state(source)
    copy(MemoryBulkStore(source), MemoryBulkStore(target), no_progress)
    assert state(source) == before


def test_a_copy_answers_the_sum_of_what_it_copied(
    source: MemoryTables, target: MemoryTables
) -> None:
    total = copy(MemoryBulkStore(source), MemoryBulkStore(target), no_progress)
    assert total == fingerprint_of(MemoryBulkStore(source))


def test_a_copy_of_nothing_is_empty(target: MemoryTables) -> None:
    copy(MemoryBulkStore(MemoryTables()), MemoryBulkStore(target), no_progress)
    assert state(target) == ({}, {}, {}, [], LastIds(0, 0))


def test_everything_passes_by_under_its_label(source: MemoryTables, target: MemoryTables) -> None:
    progress = KeptProgress()
    copy(MemoryBulkStore(source), MemoryBulkStore(target), progress)
    assert progress.passed == {
        "users": [ALICE, BOB],
        "articles": [FIRST, SECOND],
        "sessions": [(3, SESSION), (7, OTHER_SESSION)],
        "audit": [ENTRY],
    }


def test_how_much_there_is_to_copy_is_announced(source: MemoryTables, target: MemoryTables) -> None:
    progress = KeptProgress()
    copy(MemoryBulkStore(source), MemoryBulkStore(target), progress)
    assert progress.announced == {"users": 2, "articles": 2, "sessions": 2, "audit": 1}


def test_a_copy_lowers_no_last_id_of_its_target(source: MemoryTables, target: MemoryTables) -> None:
    target.last = LastIds(41, 0, 43)
    copy(MemoryBulkStore(source), MemoryBulkStore(target), no_progress)
    assert target.last == LastIds(41, 12, 43)


@pytest.mark.parametrize(
    "occupied", [filled([ALICE], []), filled([], [FIRST]), filled()], ids=["user", "article", "all"]
)
def test_a_target_that_is_not_empty_is_refused_and_stays_as_it_was(
    source: MemoryTables, occupied: MemoryTables
) -> None:
    before = state(occupied)
    with pytest.raises(StoreNotEmpty):
        copy(MemoryBulkStore(source), MemoryBulkStore(occupied), no_progress)
    assert state(occupied) == before


def test_a_store_is_not_copied_onto_itself(source: MemoryTables) -> None:
    with pytest.raises(StoreNotEmpty):
        copy(MemoryBulkStore(source), MemoryBulkStore(source), no_progress)


@pytest.mark.parametrize(
    "stored",
    [
        [],
        [BOB],
        [ALICE],
        [ALICE, BOB, Account(User(8, "carol#3", NOW), "a hash")],
        [replace(ALICE, password_hash="hash of alice#2"), BOB],
        [ALICE, replace(BOB, is_disabled=False)],
        [ALICE, replace(BOB, user=replace(BOB.user, id=8))],
        [ALICE, replace(BOB, user=replace(BOB.user, username="bobby#2\n"))],
        [ALICE, replace(BOB, user=replace(BOB.user, date_registered=NOW + INSTANT))],
    ],
    ids=["all lost", "first lost", "last lost", "one more", "hash", "state", "id", "name", "date"],
)
def test_a_target_that_loses_or_alters_a_user_is_noticed_and_keeps_nothing(
    source: MemoryTables, target: MemoryTables, stored: list[Account]
) -> None:
    with pytest.raises(CopyDiffers):
        copy(MemoryBulkStore(source), FaultyArchive(target, accounts=stored), no_progress)
    assert state(target) == state(MemoryTables())


@pytest.mark.parametrize(
    "stored",
    [
        [],
        [SECOND],
        [FIRST],
        [FIRST, SECOND, replace(SECOND, id=10)],
        [replace(FIRST, id=6), SECOND],
        [replace(FIRST, title="First "), SECOND],
        [replace(FIRST, text="The first text\0"), SECOND],
        [replace(FIRST, title="FirstT", text="he first text"), SECOND],
        [replace(FIRST, date_posted=NOW + INSTANT), SECOND],
        [replace(FIRST, author=SECOND.author), SECOND],
        [replace(SECOND, id=5), replace(FIRST, id=9)],
    ],
    ids=[
        "all lost",
        "first lost",
        "last lost",
        "one more",
        "id",
        "title",
        "text",
        "border",
        "date",
        "author",
        "exchanged",
    ],
)
def test_a_target_that_loses_or_alters_an_article_is_noticed_and_keeps_nothing(
    source: MemoryTables, target: MemoryTables, stored: list[Article]
) -> None:
    with pytest.raises(CopyDiffers):
        copy(MemoryBulkStore(source), FaultyArchive(target, articles=stored), no_progress)
    assert state(target) == state(MemoryTables())


@pytest.mark.parametrize(
    "stored",
    [
        [],
        [(3, SESSION)],
        [(3, SESSION), (7, OTHER_SESSION), (7, replace(SESSION, id=36))],
        [(7, SESSION), (7, OTHER_SESSION)],
        [(3, replace(SESSION, last_used=NOW + INSTANT)), (7, OTHER_SESSION)],
        [(3, replace(SESSION, expires=NOW)), (7, OTHER_SESSION)],
    ],
    ids=["all lost", "last lost", "one more", "user", "last used", "expires"],
)
def test_a_target_that_loses_or_alters_a_session_is_noticed_and_keeps_nothing(
    source: MemoryTables, target: MemoryTables, stored: list[tuple[int, Session]]
) -> None:
    with pytest.raises(CopyDiffers):
        copy(MemoryBulkStore(source), FaultyArchive(target, sessions=stored), no_progress)
    assert state(target) == state(MemoryTables())


def test_a_source_that_breaks_off_leaves_the_target_as_it_was(target: MemoryTables) -> None:
    class Broken(MemoryBulkStore):
        def articles(self) -> Iterator[Article]:
            yield FIRST
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # it has no text
        copy(Broken(filled()), MemoryBulkStore(target), no_progress)
    assert state(target) == state(MemoryTables())


def test_a_sum_counts_accounts_articles_and_sessions() -> None:
    total = fingerprint_of(MemoryBulkStore(filled([ALICE, BOB], [FIRST], [])))
    assert total == Fingerprint(Counts(2, 1, 0), total.checksum)


def test_a_sum_does_not_depend_on_the_order_in_which_rows_came() -> None:
    total = fingerprint_of(MemoryBulkStore(filled([BOB, ALICE], [SECOND, FIRST])))
    assert total == fingerprint_of(MemoryBulkStore(filled()))


def test_a_sum_does_not_depend_on_ids_of_what_is_gone() -> None:
    total = fingerprint_of(MemoryBulkStore(filled(last=LastIds(0, 0))))
    assert total == fingerprint_of(MemoryBulkStore(filled()))


class HidingArchive(MemoryBulkStore):
    """Counts an article that it does not give."""

    def articles(self) -> Iterator[Article]:
        return iter([])


def test_a_source_that_gives_less_than_it_has_is_not_copied(
    source: MemoryTables, target: MemoryTables
) -> None:
    with pytest.raises(CopyDiffers):
        copy(HidingArchive(source), MemoryBulkStore(target), no_progress)
    assert state(target) == state(MemoryTables())
