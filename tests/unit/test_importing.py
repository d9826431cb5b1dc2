from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.bulk import MemoryBulkStore
from forum.adapters.memory.tables import MemoryTables
from forum.adapters.memory.users import MemoryUsers
from forum.domain.ids import MAX_ID
from forum.domain.model import Account, Article, Author, Draft, LastIds, User
from forum.domain.moving.copying import StoreNotEmpty
from forum.domain.moving.importing import (
    ImportReport,
    LegacyArticle,
    LegacyUser,
    LegacyWarning,
    Reason,
    import_forum,
)

T = TypeVar("T")

NOW = datetime(2020, 2, 2, 0, 17, 49, 735642, UTC)
LATER = datetime(2021, 3, 3, tzinfo=UTC)

ALICE = LegacyUser(3, "alice#1", "Password#1", NOW)
BOB = LegacyUser(7, "bobby#2", "Password#2", LATER)
CAROL = LegacyUser(9, "carol#3", "Password#3", NOW)
FIRST = LegacyArticle(5, "First", "The first text", NOW, 3)
SECOND = LegacyArticle(8, "Second", "The second text", LATER, 7)

State = tuple[dict[int, Account], dict[int, Article], LastIds]


@dataclass
class OldLists:
    """An `LegacyForum` that a test writes down."""

    all_users: list[LegacyUser] = field(default_factory=list)
    all_articles: list[LegacyArticle] = field(default_factory=list)

    def users(self) -> list[LegacyUser]:
        return self.all_users

    def articles(self) -> list[LegacyArticle]:
        return self.all_articles


@dataclass
class MarkedPasswords:
    """Marks passwords instead of hashing them, and remembers which."""

    seen: list[str] = field(default_factory=list)

    def __call__(self, passwords: Iterable[str]) -> Iterator[str]:
        for password in passwords:
            self.seen.append(password)
            yield f"hash of {password}"


@dataclass
class KeptProgress:
    """Remembers how much was announced, and how much passed."""

    told: dict[str, tuple[int | None, int]] = field(default_factory=dict)

    def __call__(self, label: str, items: Iterable[T], length: int | None = None) -> Iterator[T]:
        for number, item in enumerate(items, start=1):
            self.told[label] = length, number
            yield item


def no_progress(label: str, items: Iterable[T], length: int | None = None) -> Iterable[T]:
    return items


def moved_in(old: OldLists, store: MemoryTables) -> ImportReport:
    return import_forum(old, MemoryBulkStore(store), MarkedPasswords(), no_progress)


def state(store: MemoryTables) -> State:
    return dict(store.accounts), dict(store.articles), store.last


@pytest.fixture
def store() -> MemoryTables:
    return MemoryTables()


@pytest.fixture
def old() -> OldLists:
    return OldLists([ALICE, BOB], [FIRST, SECOND])


def test_users_keep_ids_names_and_dates(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    users = [account.user for account in store.accounts.values()]
    assert users == [User(3, "alice#1", NOW), User(7, "bobby#2", LATER)]


def test_articles_keep_ids_titles_texts_dates_and_authors(
    old: OldLists, store: MemoryTables
) -> None:
    moved_in(old, store)
    assert list(store.articles.values()) == [
        Article(5, "First", "The first text", NOW, Author(3, "alice#1")),
        Article(8, "Second", "The second text", LATER, Author(7, "bobby#2")),
    ]


def test_everybody_gets_the_hash_of_their_own_password(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    hashes = {id: account.password_hash for id, account in store.accounts.items()}
    assert hashes == {3: "hash of Password#1", 7: "hash of Password#2"}


def test_nobody_gets_the_hash_of_one_who_was_left_out(store: MemoryTables) -> None:
    nameless = LegacyUser(5, None, "Password#9", NOW)
    moved_in(OldLists([ALICE, nameless, BOB]), store)
    hashes = {id: account.password_hash for id, account in store.accounts.items()}
    assert hashes == {3: "hash of Password#1", 7: "hash of Password#2"}


def test_nobody_is_disabled_by_moving_in(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    assert [account.is_disabled for account in store.accounts.values()] == [False, False]


def test_new_users_get_ids_after_the_old_ones(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    assert MemoryUsers(store).add("carol#3", "a hash", NOW).id == 8


def test_new_articles_get_ids_after_the_old_ones(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    article = MemoryArticles(store).add(Author(3, "alice#1"), Draft("A title", "A text"), NOW)
    assert article
    assert article.id == 9


def test_an_import_tells_how_many_came_and_has_nothing_to_warn_of(
    old: OldLists, store: MemoryTables
) -> None:
    assert moved_in(old, store) == ImportReport(2, 2, [])


def test_an_import_from_nothing_brings_nothing(store: MemoryTables) -> None:
    assert moved_in(OldLists(), store) == ImportReport(0, 0, [])


def test_everything_passes_by_under_its_label_and_number(
    old: OldLists, store: MemoryTables
) -> None:
    progress = KeptProgress()
    old.all_users.append(CAROL)
    import_forum(old, MemoryBulkStore(store), MarkedPasswords(), progress)
    assert progress.told == {"users": (3, 3), "articles": (2, 2)}


@pytest.mark.parametrize(
    "user",
    [
        replace(BOB, id=0),
        replace(BOB, id=-1),
        replace(BOB, username=None),
        replace(BOB, date_registered=None),
    ],
    ids=["id 0", "id below 0", "no name", "no date"],
)
def test_a_user_who_cannot_be_read_is_warned_of(store: MemoryTables, user: LegacyUser) -> None:
    assert moved_in(OldLists([ALICE, user]), store).warnings == [
        LegacyWarning(Reason.USER_UNREADABLE, user.id, user.username)
    ]


@pytest.mark.parametrize(
    "user",
    [replace(BOB, id=0), replace(BOB, username=None), replace(BOB, date_registered=None)],
    ids=["id", "name", "date"],
)
def test_a_user_who_cannot_be_read_is_not_imported(store: MemoryTables, user: LegacyUser) -> None:
    moved_in(OldLists([ALICE, user]), store)
    assert list(store.accounts) == [3]


@pytest.mark.parametrize("id", [2**53 + 1, MAX_ID, MAX_ID + 1])
def test_an_id_that_leaves_no_room_for_others_is_warned_of(store: MemoryTables, id: int) -> None:
    old = OldLists([ALICE, replace(BOB, id=id)], [replace(FIRST, id=id)])
    assert moved_in(old, store).warnings == [
        LegacyWarning(Reason.USER_ID_TOO_GREAT, id, "bobby#2"),
        LegacyWarning(Reason.ARTICLE_ID_TOO_GREAT, id),
    ]


def test_what_leaves_no_room_for_others_is_not_imported(store: MemoryTables) -> None:
    moved_in(OldLists([ALICE, replace(BOB, id=MAX_ID)], [replace(FIRST, id=MAX_ID)]), store)
    assert (list(store.accounts), list(store.articles), store.last) == ([3], [], LastIds(3, 0))


@pytest.mark.parametrize("id", [1, 2**53])
def test_a_user_with_the_least_or_the_greatest_id_is_imported(store: MemoryTables, id: int) -> None:
    moved_in(OldLists([replace(ALICE, id=id)]), store)
    assert list(store.accounts) == [id]


@pytest.mark.parametrize(
    "name", ["alice#1\n", "alic", "a" * 21, "", "alice 1", "älice#1", "\ufffd"]
)
def test_a_name_that_breaks_the_rules_is_warned_of(store: MemoryTables, name: str) -> None:
    assert moved_in(OldLists([replace(ALICE, username=name)]), store).warnings == [
        LegacyWarning(Reason.BAD_NAME, 3, name)
    ]


def test_a_user_whose_name_breaks_the_rules_is_imported_with_that_name(store: MemoryTables) -> None:
    moved_in(OldLists([replace(ALICE, username="alice#1\n")]), store)
    assert [each.user.username for each in store.accounts.values()] == ["alice#1\n"]


@pytest.mark.parametrize(
    "password", [None, "", "Password#1\n", "Pass#1", "P#1" + "a" * 38, "Password1", "Pässword#1"]
)
def test_a_password_that_breaks_the_rules_is_warned_of(
    store: MemoryTables, password: str | None
) -> None:
    assert moved_in(OldLists([replace(ALICE, password=password)]), store).warnings == [
        LegacyWarning(Reason.BAD_PASSWORD, 3, "alice#1")
    ]


@pytest.mark.parametrize("password", [None, "", "Password#1\n"])
def test_a_user_whose_password_breaks_the_rules_is_imported(
    store: MemoryTables, password: str | None
) -> None:
    moved_in(OldLists([replace(ALICE, password=password)]), store)
    assert list(store.accounts) == [3]


def test_no_warning_has_a_password_in_it(store: MemoryTables) -> None:
    bad = [
        replace(ALICE, password="unmentionable", username="ali"),
        replace(BOB, password="unmentionable", date_registered=None),
    ]
    assert "unmentionable" not in str(moved_in(OldLists(bad), store).warnings)


def test_name_and_password_of_one_user_are_warned_of_apart(store: MemoryTables) -> None:
    assert moved_in(OldLists([LegacyUser(3, "ali", "bad", NOW)]), store).warnings == [
        LegacyWarning(Reason.BAD_NAME, 3, "ali"),
        LegacyWarning(Reason.BAD_PASSWORD, 3, "ali"),
    ]


def test_the_second_user_of_a_name_is_warned_of(store: MemoryTables) -> None:
    double = replace(BOB, username="alice#1")
    assert moved_in(OldLists([ALICE, double]), store).warnings == [
        LegacyWarning(Reason.NAME_TAKEN, 7, "alice#1", 3)
    ]


def test_of_two_users_of_a_name_the_first_is_imported(store: MemoryTables) -> None:
    moved_in(OldLists([ALICE, replace(BOB, username="alice#1"), CAROL]), store)
    assert list(store.accounts) == [3, 9]


def test_names_that_differ_in_case_are_both_imported(store: MemoryTables) -> None:
    moved_in(OldLists([ALICE, replace(BOB, username="Alice#1")]), store)
    assert list(store.accounts) == [3, 7]


def test_one_who_was_left_out_takes_no_name_away(store: MemoryTables) -> None:
    moved_in(
        OldLists([replace(ALICE, date_registered=None), replace(BOB, username="alice#1")]), store
    )
    assert list(store.accounts) == [7]


@pytest.mark.parametrize(
    ("user_id", "users"),
    [(4, [ALICE]), (None, [ALICE]), (0, [ALICE]), (7, [ALICE, replace(BOB, username="alice#1")])],
    ids=["unknown", "none", "zero", "left out"],
)
def test_an_article_without_an_author_is_warned_of(
    store: MemoryTables, user_id: int | None, users: list[LegacyUser]
) -> None:
    orphan = replace(FIRST, user_id=user_id)
    assert moved_in(OldLists(users, [orphan]), store).warnings[-1] == (
        LegacyWarning(Reason.AUTHOR_MISSING, 5, other=user_id)
    )


def test_an_article_without_an_author_is_not_imported(store: MemoryTables) -> None:
    moved_in(OldLists([ALICE], [FIRST, SECOND]), store)
    assert list(store.articles) == [5]


@pytest.mark.parametrize(
    "article",
    [replace(FIRST, id=0), replace(FIRST, date_posted=None)],
    ids=["id 0", "no date"],
)
def test_an_article_that_cannot_be_read_is_warned_of(
    store: MemoryTables, article: LegacyArticle
) -> None:
    assert moved_in(OldLists([ALICE], [article]), store).warnings == [
        LegacyWarning(Reason.ARTICLE_UNREADABLE, article.id)
    ]


def test_an_article_that_cannot_be_read_is_not_imported(store: MemoryTables) -> None:
    moved_in(OldLists([ALICE], [replace(FIRST, date_posted=None)]), store)
    assert store.articles == {}


def test_a_missing_title_or_text_is_an_empty_one(store: MemoryTables) -> None:
    moved_in(OldLists([ALICE], [replace(FIRST, title=None, text=None)]), store)
    assert [(each.title, each.text) for each in store.articles.values()] == [("", "")]


def test_only_what_was_imported_is_counted(store: MemoryTables) -> None:
    done = moved_in(OldLists([ALICE, replace(BOB, username=None)], [FIRST, SECOND]), store)
    assert (done.users, done.articles, len(done.warnings)) == (1, 1, 2)


def test_a_second_import_changes_nothing(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    before = state(store)
    moved_in(old, store)
    assert state(store) == before


def test_a_second_import_says_that_it_was_done_before(store: MemoryTables) -> None:
    old = OldLists([ALICE, replace(BOB, username="bob")], [FIRST, replace(SECOND, user_id=4)])
    first = moved_in(old, store)
    assert moved_in(old, store) == replace(first, was_done_before=True)


def test_a_first_import_was_not_done_before(old: OldLists, store: MemoryTables) -> None:
    assert not moved_in(old, store).was_done_before


def test_a_second_import_hashes_nothing(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    hasher = MarkedPasswords()
    import_forum(old, MemoryBulkStore(store), hasher, no_progress)
    assert hasher.seen == []


def test_a_second_import_leaves_what_happened_since(old: OldLists, store: MemoryTables) -> None:
    moved_in(old, store)
    users, articles = MemoryUsers(store), MemoryArticles(store)
    users.change_password_hash(3, "a new hash")
    articles.update(5, Author(3, "alice#1"), Draft("A new title", "A new text"))
    articles.delete(8, Author(7, "bobby#2"))
    users.add("carol#3", "a hash", NOW)
    before = state(store)
    moved_in(old, store)
    assert state(store) == before


@pytest.mark.parametrize(
    "user",
    [
        User(1, "stranger", NOW),
        User(3, "stranger", NOW),
        User(4, "alice#1", NOW),
        User(3, "alice#1", LATER),
    ],
    ids=["stranger", "same id", "same name", "other date"],
)
def test_a_store_of_others_is_refused_and_stays_as_it_was(
    old: OldLists, store: MemoryTables, user: User
) -> None:
    store.accounts[user.id] = Account(user, "a hash")
    before = state(store)
    with pytest.raises(StoreNotEmpty):
        moved_in(old, store)
    assert state(store) == before


def test_a_store_with_only_some_of_the_users_is_refused(old: OldLists, store: MemoryTables) -> None:
    moved_in(OldLists([ALICE]), store)
    with pytest.raises(StoreNotEmpty):
        moved_in(old, store)


def test_an_import_from_nothing_into_a_store_of_others_is_refused(store: MemoryTables) -> None:
    moved_in(OldLists([ALICE]), store)
    with pytest.raises(StoreNotEmpty):
        moved_in(OldLists(), store)


def test_an_import_that_breaks_off_leaves_the_store_as_it_was(
    old: OldLists, store: MemoryTables
) -> None:
    def break_off(passwords: Iterable[str]) -> Iterator[str]:
        yield from list(passwords)[:1]
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  # it has no text
        import_forum(old, MemoryBulkStore(store), break_off, no_progress)
    assert state(store) == state(MemoryTables())


@pytest.mark.parametrize("surplus", [-1, 1], ids=["too few", "too many"])
def test_hashes_that_do_not_match_the_users_in_number_keep_nothing(
    old: OldLists, store: MemoryTables, surplus: int
) -> None:
    def miscount(passwords: Iterable[str]) -> Iterator[str]:
        yield from ["a hash"] * (len(list(passwords)) + surplus)

    with pytest.raises(ValueError, match="zip"):
        import_forum(old, MemoryBulkStore(store), miscount, no_progress)
    assert state(store) == state(MemoryTables())
