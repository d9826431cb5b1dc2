from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from forum.domain.errors import Unavailable
from forum.domain.ids import MAX_ID
from forum.domain.model import Account, Article, Author, Draft, LastIds, Session, User
from tests.contract.conftest import DAY, NOW, Store, sql_store
from tests.support.stores import open_database

ON_SQL = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
"""For what takes a second connection."""

ALICE = Account(User(3, "alice#1", NOW), "hash of alice#1")
BOB = Account(User(7, "bobby#2", NOW + DAY), "hash of bobby#2", is_disabled=True)
AUTHOR = Author(3, "alice#1")
FIRST = Article(5, "First", "The first text", NOW, AUTHOR)
SECOND = Article(9, "Second", "The second text", NOW - DAY, AUTHOR)

MORE_THAN_A_BATCH = 1001

Contents = tuple[list[Account], list[Article], LastIds]


class Broken(BaseException):
    """What no handler of errors expects."""


@pytest.fixture
def other(store: Store, database_url: str) -> Iterator[Store]:
    """The same store through a connection of its own, which does not wait long."""
    database = open_database(database_url, timeout=0.1)
    yield sql_store(database)
    database.close()


@pytest.fixture
def filled(store: Store) -> Store:
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE, BOB])
        store.bulk.add_articles([FIRST, SECOND])
        store.bulk.raise_last_ids(LastIds(7, 9))
    return store


def contents(store: Store) -> Contents:
    bulk = store.bulk
    with bulk.snapshot():
        return list(bulk.accounts()), list(bulk.articles()), bulk.last_ids()


@contextmanager
def taken_back(store: Store, error: BaseException) -> Iterator[None]:
    """A change that ends with an exception."""
    with suppress(type(error)), store.bulk.exclusive():
        yield
        raise error


def test_an_empty_store_has_nothing_and_gave_no_id(store: Store) -> None:
    assert contents(store) == ([], [], LastIds(0, 0, 0))


def test_what_was_added_comes_back_as_it_was(filled: Store) -> None:
    assert contents(filled) == ([ALICE, BOB], [FIRST, SECOND], LastIds(7, 9))


def test_accounts_come_by_id_however_they_were_added(store: Store) -> None:
    with store.bulk.exclusive():
        store.bulk.add_accounts([BOB, ALICE])
    assert contents(store)[0] == [ALICE, BOB]


def test_articles_come_by_id_however_they_were_added(store: Store) -> None:
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE])
        store.bulk.add_articles([SECOND, FIRST])
    assert contents(store)[1] == [FIRST, SECOND]


def test_sessions_come_by_id_however_they_were_added(filled: Store) -> None:
    sessions = [(3, Session(31, NOW, NOW, NOW + DAY)), (7, Session(35, NOW, NOW + DAY, NOW))]
    with filled.bulk.exclusive():
        filled.bulk.add_sessions(reversed(sessions))
    with filled.bulk.snapshot():
        assert list(filled.bulk.sessions()) == sessions


def test_an_exception_takes_back_the_sessions(filled: Store) -> None:
    with taken_back(filled, Broken()):
        filled.bulk.add_sessions([(3, Session(31, NOW, NOW, NOW + DAY))])
    with filled.bulk.snapshot():
        assert list(filled.bulk.sessions()) == []


def test_each_of_many_accounts_comes_once(store: Store) -> None:
    many = [
        Account(User(id, f"user{id}", NOW), "a hash") for id in range(1, 2 * MORE_THAN_A_BATCH, 2)
    ]
    with store.bulk.exclusive():
        store.bulk.add_accounts(many)
    assert contents(store)[0] == many


def test_each_of_many_articles_comes_once(store: Store) -> None:
    many = [replace(FIRST, id=id) for id in range(1, 2 * MORE_THAN_A_BATCH, 2)]
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE])
        store.bulk.add_articles(many)
    assert contents(store)[1] == many


@pytest.mark.parametrize(
    "account",
    [
        replace(ALICE, user=replace(ALICE.user, id=MAX_ID)),
        replace(ALICE, user=replace(ALICE.user, username="alice#1\n")),
        replace(ALICE, user=replace(ALICE.user, username="Ünïcödé \U0001f600 \ufffd")),
        replace(ALICE, user=replace(ALICE.user, date_registered=NOW.replace(microsecond=0))),
        replace(ALICE, password_hash=""),
        replace(ALICE, is_disabled=True),
    ],
    ids=["id", "newline", "characters", "whole second", "no hash", "disabled"],
)
def test_an_unusual_account_comes_back_as_it_was(store: Store, account: Account) -> None:
    with store.bulk.exclusive():
        store.bulk.add_accounts([account])
    assert contents(store)[0] == [account]


@pytest.mark.parametrize(
    "article",
    [
        replace(FIRST, id=MAX_ID),
        replace(FIRST, title="", text=""),
        replace(FIRST, title="Ünïcödé \U0001f600", text="a\r\nb\tc\\N\x01\x7f\ufffd ' \" % ? %s"),
        replace(FIRST, date_posted=NOW.replace(microsecond=0)),
        replace(FIRST, text="x" * 1_000_000),
    ],
    ids=["id", "empty", "characters", "whole second", "long"],
)
def test_an_unusual_article_comes_back_as_it_was(store: Store, article: Article) -> None:
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE])
        store.bulk.add_articles([article])
    assert contents(store)[1] == [article]


def test_what_was_added_can_be_read_before_the_change_ends(store: Store) -> None:
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE])
        assert list(store.bulk.accounts()) == [ALICE]


def test_the_archive_has_what_the_repositories_stored(store: Store) -> None:
    account = store.account()
    author = Author(account.user.id, account.user.username)
    article = store.articles.add(author, Draft("A title", "A text"), NOW)
    assert contents(store)[:2] == ([account], [article])


def test_the_repositories_find_an_added_user_under_the_same_id(filled: Store) -> None:
    assert filled.users.find(3) == ALICE.user


def test_the_repositories_find_an_added_account_by_its_name(filled: Store) -> None:
    assert filled.users.find_account("bobby#2") == BOB


def test_the_repositories_find_an_added_article_under_the_id_that_it_had(filled: Store) -> None:
    assert filled.articles.find(9) == SECOND


def test_the_repositories_list_added_articles_by_their_dates(filled: Store) -> None:
    assert [each.id for each in filled.articles.latest_by(3, 0, 10)] == [5, 9]


def test_the_last_ids_are_those_that_the_repositories_gave(store: Store) -> None:
    account = store.account()
    author = Author(account.user.id, account.user.username)
    article = store.articles.add(author, Draft("A title", "A text"), NOW)
    session = store.sessions.begin(account, NOW, NOW + DAY)
    assert article
    assert session
    assert store.bulk.last_ids() == LastIds(account.user.id, article.id, session.id)


def test_the_last_ids_are_also_those_of_what_was_deleted(store: Store) -> None:
    account = store.account()
    store.articles.add(
        Author(account.user.id, account.user.username), Draft("A title", "A text"), NOW
    )
    store.sessions.begin(account, NOW, NOW + DAY)
    before = store.bulk.last_ids()
    store.users.delete(account.user.id, None)
    assert store.bulk.last_ids() == before


@pytest.mark.parametrize(
    "last", [LastIds(41, 9), LastIds(7, 41), LastIds(7, 9, 41), LastIds(41, 42, 43)], ids=str
)
def test_last_ids_are_raised(filled: Store, last: LastIds) -> None:
    with filled.bulk.exclusive():
        filled.bulk.raise_last_ids(last)
    assert filled.bulk.last_ids() == last


@pytest.mark.parametrize("last", [LastIds(0, 0, 0), LastIds(6, 8), LastIds(1, 9, 0)], ids=str)
def test_last_ids_are_never_lowered(filled: Store, last: LastIds) -> None:
    with filled.bulk.exclusive():
        filled.bulk.raise_last_ids(last)
    assert filled.bulk.last_ids() == LastIds(7, 9)


def test_last_ids_of_nothing_leave_an_empty_store_at_the_beginning(store: Store) -> None:
    with store.bulk.exclusive():
        store.bulk.raise_last_ids(LastIds(0, 0))
    assert store.author().id == 1


def test_a_new_user_gets_an_id_after_the_raised_one(filled: Store) -> None:
    with filled.bulk.exclusive():
        filled.bulk.raise_last_ids(LastIds(41, 0))
    assert filled.author("carol#3").id > 41


def test_a_new_article_gets_an_id_after_the_raised_one(filled: Store) -> None:
    with filled.bulk.exclusive():
        filled.bulk.raise_last_ids(LastIds(0, 41))
    article = filled.articles.add(AUTHOR, Draft("A title", "A text"), NOW)
    assert article
    assert article.id > 41


def test_a_new_session_gets_an_id_after_the_raised_one(filled: Store) -> None:
    with filled.bulk.exclusive():
        filled.bulk.raise_last_ids(LastIds(0, 0, 41))
    session = filled.sessions.begin(ALICE, NOW, NOW + DAY)
    assert session
    assert session.id > 41


@pytest.mark.parametrize("error", [ValueError, Broken])
def test_an_exception_comes_out_of_a_change(store: Store, error: type[BaseException]) -> None:
    with pytest.raises(error), store.bulk.exclusive():
        raise error


@pytest.mark.parametrize("error", [ValueError(), Broken()], ids=repr)
def test_an_exception_takes_back_the_accounts_and_articles(
    filled: Store, error: BaseException
) -> None:
    before = contents(filled)[:2]
    with taken_back(filled, error):
        filled.bulk.add_accounts([Account(User(8, "carol#3", NOW), "a hash")])
        filled.bulk.add_articles([replace(FIRST, id=10)])
    assert contents(filled)[:2] == before


def test_an_exception_between_two_accounts_takes_back_the_first(store: Store) -> None:
    def accounts() -> Iterator[Account]:
        yield ALICE
        raise Broken

    with pytest.raises(Broken), store.bulk.exclusive():
        store.bulk.add_accounts(accounts())
    assert contents(store)[0] == []


def test_a_change_can_be_made_again_after_it_was_taken_back(store: Store) -> None:
    with taken_back(store, Broken()):
        store.bulk.add_accounts([ALICE])
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE])
    assert contents(store)[0] == [ALICE]


@ON_SQL
def test_a_change_is_there_for_others_when_it_has_ended(filled: Store, other: Store) -> None:
    assert contents(other) == ([ALICE, BOB], [FIRST, SECOND], LastIds(7, 9))


@ON_SQL
def test_others_see_nothing_of_a_change_before_it_ends(store: Store, other: Store) -> None:
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE])
        assert contents(other)[0] == []


@ON_SQL
def test_nobody_else_registers_during_a_change(filled: Store, other: Store) -> None:
    with filled.bulk.exclusive(), pytest.raises(Unavailable):
        other.users.add("carol#3", "a hash", NOW)


@ON_SQL
def test_nobody_else_posts_during_a_change(filled: Store, other: Store) -> None:
    with filled.bulk.exclusive(), pytest.raises(Unavailable):
        other.articles.add(AUTHOR, Draft("A title", "A text"), NOW)


@ON_SQL
def test_others_write_while_a_view_is_open(filled: Store, other: Store) -> None:
    with filled.bulk.snapshot():
        list(filled.bulk.accounts())
        added = other.users.add("carol#3", "a hash", NOW)
    assert filled.users.find(added.id) == added


@ON_SQL
def test_a_snapshot_does_not_see_what_others_add_later(filled: Store, other: Store) -> None:
    with filled.bulk.snapshot():
        list(filled.bulk.accounts())
        other.users.add("carol#3", "a hash", NOW)
        other.articles.add(AUTHOR, Draft("A title", "A text"), NOW)
        seen = list(filled.bulk.accounts()), list(filled.bulk.articles())
    assert seen == ([ALICE, BOB], [FIRST, SECOND])


@ON_SQL
def test_a_snapshot_still_sees_what_others_change_and_delete_after_it_began(
    filled: Store, other: Store
) -> None:
    with filled.bulk.snapshot():
        list(filled.bulk.accounts())
        other.users.set_disabled(3, is_disabled=True)
        other.articles.update(5, AUTHOR, Draft("Another title", "Another text"))
        other.articles.delete(9, AUTHOR)
        seen = list(filled.bulk.accounts()), list(filled.bulk.articles())
    assert seen == ([ALICE, BOB], [FIRST, SECOND])


@ON_SQL
def test_the_next_view_sees_what_others_did(filled: Store, other: Store) -> None:
    contents(filled)
    other.articles.delete(9, AUTHOR)
    assert contents(filled)[1] == [FIRST]
