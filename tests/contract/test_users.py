from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from forum.domain.errors import UsernameTaken
from forum.domain.ids import MAX_ID
from forum.domain.model import Account, Author, Draft, User
from tests.contract.conftest import DAY, NOW, Store, at_once


def test_a_new_user_can_be_found_by_id(store: Store) -> None:
    user = store.users.add("alice#1", "a hash", NOW)
    assert store.users.find(user.id) == user


def test_a_new_user_has_the_name_and_date_that_were_given(store: Store) -> None:
    user = store.users.add("alice#1", "a hash", NOW)
    assert user == User(user.id, "alice#1", NOW)


def test_an_account_is_found_by_name(store: Store) -> None:
    user = store.users.add("alice#1", "a hash", NOW)
    assert store.users.find_account("alice#1") == Account(user, "a hash")


@pytest.mark.parametrize("name", ["Alice#1", "ALICE#1", "alice#", "alice#1 ", "", "a' OR '1'='1"])
def test_nobody_is_found_by_another_spelling(store: Store, alice: Author, name: str) -> None:
    assert store.users.find_account(name) is None


@pytest.mark.parametrize("id", [2, MAX_ID])
def test_nobody_is_found_by_an_unknown_id(store: Store, alice: Author, id: int) -> None:
    assert store.users.find(id) is None


def test_a_name_is_given_once(store: Store, alice: Author) -> None:
    with pytest.raises(UsernameTaken):
        store.users.add("alice#1", "another hash", NOW)


def test_names_that_differ_in_case_are_different(store: Store, alice: Author) -> None:
    assert store.users.add("Alice#1", "a hash", NOW).id > alice.id


def test_of_many_who_want_a_name_at_once_one_gets_it(store: Store) -> None:
    results = at_once(8, lambda: store.users.add("alice#1", "a hash", NOW))
    assert results.count(UsernameTaken) == 7


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        NOW.replace(microsecond=0),
        NOW.replace(microsecond=10),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ],
    ids=str,
)
def test_times_come_back_as_they_were(store: Store, moment: datetime) -> None:
    id = store.users.add("alice#1", "a hash", moment).id
    found = store.users.find(id)
    assert found
    assert (found.date_registered, found.date_registered.tzinfo) == (moment, UTC)


def test_all_accounts_come_by_id(store: Store, alice: Author, bob: Author) -> None:
    assert [each.user.id for each in store.users.find_all()] == [alice.id, bob.id]


def test_a_hash_is_replaced_if_the_old_one_is_in_place(store: Store) -> None:
    account = store.account()
    store.users.replace_password_hash(account.user.id, account.password_hash, "new")
    assert store.users.find_account("alice#1") == Account(account.user, "new")


def test_a_hash_is_not_replaced_if_it_has_changed(store: Store) -> None:
    account = store.account()
    store.users.replace_password_hash(account.user.id, "stale", "new")
    assert store.users.find_account("alice#1") == account


def test_replacing_a_hash_ends_no_session(store: Store) -> None:
    account = store.account()
    store.sessions.begin(account, NOW, NOW + DAY)
    store.users.replace_password_hash(account.user.id, account.password_hash, "new")
    assert len(store.sessions.find_all(account.user.id, NOW)) == 1


def test_changing_a_password_ends_every_session(store: Store) -> None:
    account = store.account()
    store.sessions.begin(account, NOW, NOW + DAY)
    assert store.users.change_password_hash(account.user.id, "new", account.password_hash)
    assert store.sessions.find_all(account.user.id, NOW) == []


def test_a_password_that_has_changed_is_not_changed_and_ends_no_session(store: Store) -> None:
    account = store.account()
    session = store.sessions.begin(account, NOW, NOW + DAY)
    assert not store.users.change_password_hash(account.user.id, "new", "stale")
    assert store.sessions.find_all(account.user.id, NOW) == [session]


def test_a_password_can_be_changed_whatever_it_was(store: Store) -> None:
    account = store.account()
    assert store.users.change_password_hash(account.user.id, "new")
    assert store.users.find_account("alice#1") == Account(account.user, "new")


def test_disabling_a_user_ends_their_sessions_only(store: Store) -> None:
    alice, bob = store.account("alice#1"), store.account("bobby#2")
    for account in (alice, bob):
        store.sessions.begin(account, NOW, NOW + DAY)
    store.users.set_disabled(alice.user.id, is_disabled=True)
    left = [len(store.sessions.find_all(each.user.id, NOW)) for each in (alice, bob)]
    assert left == [0, 1]


@pytest.mark.parametrize("is_disabled", [True, False])
def test_an_account_tells_whether_it_is_disabled(store: Store, is_disabled: bool) -> None:
    account = store.account()
    store.users.set_disabled(account.user.id, is_disabled=True)
    store.users.set_disabled(account.user.id, is_disabled=is_disabled)
    found = store.users.find_account("alice#1")
    assert found
    assert found.is_disabled is is_disabled


def test_a_deleted_user_is_gone_with_articles_and_sessions(store: Store) -> None:
    account = store.account()
    author = Author(account.user.id, account.user.username)
    store.sessions.begin(account, NOW, NOW + DAY)
    store.articles.add(author, Draft("A title", "A text"), NOW)
    store.users.delete(author.id, None)
    left = (
        store.users.find(author.id),
        store.articles.latest(0, 10),
        store.sessions.find_all(author.id, NOW),
    )
    assert left == (None, [], [])


def test_nothing_is_left_of_a_user_who_posts_while_they_are_deleted(store: Store) -> None:
    alice = store.author()

    def post() -> None:
        for _ in range(30):
            store.articles.add(alice, Draft("A title", "A text"), NOW)

    with ThreadPoolExecutor(3) as pool:
        posts = [pool.submit(post) for _ in range(3)]
        while not store.articles.latest(0, 1):
            pass
        store.users.delete(alice.id, None)
        for each in posts:
            each.result()
    assert store.articles.latest(0, 1) == []


def test_the_articles_of_a_deleted_user_go_to_the_new_author(
    store: Store, alice: Author, bob: Author
) -> None:
    store.articles.add(alice, Draft("A title", "A text"), NOW)
    store.users.delete(alice.id, bob.id)
    assert [each.author for each in store.articles.latest(0, 10)] == [bob]


def test_the_id_of_a_deleted_user_is_not_given_again(store: Store, alice: Author) -> None:
    store.users.delete(alice.id, None)
    assert store.author("bobby#2").id > alice.id
