from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from forum.domain.model import FORGOTTEN, WITNESSES, Account, Principal, Session, TokenClaims
from tests.contract.conftest import DAY, NOW, Store

SECOND = DAY / 86400


def begin(store: Store, account: Account, days: int = 1) -> Session:
    session = store.sessions.begin(account, NOW, NOW + days * DAY)
    assert session
    return session


def test_a_session_is_found_with_its_user(store: Store, alice_account: Account) -> None:
    session = begin(store, alice_account)
    found = store.sessions.find(TokenClaims(session.id, alice_account.user.id, NOW + DAY), NOW)
    assert found == Principal(alice_account.user, session)


def test_a_session_begins_with_the_times_that_were_given(
    store: Store, alice_account: Account
) -> None:
    session = begin(store, alice_account)
    assert session == Session(session.id, NOW, NOW, NOW + DAY)


@pytest.mark.parametrize(("seconds", "is_there"), [(-1, True), (0, False), (1, False)])
def test_a_session_lasts_until_it_expires(
    store: Store, alice_account: Account, seconds: int, is_there: bool
) -> None:
    session = begin(store, alice_account)
    moment = session.expires + seconds * SECOND
    found = store.sessions.find(TokenClaims(session.id, alice_account.user.id, NOW + DAY), moment)
    assert (found is not None, bool(store.sessions.find_all(alice_account.user.id, moment))) == (
        is_there,
        is_there,
    )


def test_a_session_of_another_is_not_found(
    store: Store, alice_account: Account, bob_account: Account
) -> None:
    session = begin(store, alice_account)
    assert store.sessions.find(TokenClaims(session.id, bob_account.user.id, NOW + DAY), NOW) is None


def test_no_session_begins_for_a_user_who_is_gone(store: Store, alice_account: Account) -> None:
    store.users.delete(alice_account.user.id, None)
    assert store.sessions.begin(alice_account, NOW, NOW + DAY) is None


def test_no_session_begins_for_a_disabled_user(store: Store, alice_account: Account) -> None:
    store.users.set_disabled(alice_account.user.id, is_disabled=True)
    assert store.sessions.begin(alice_account, NOW, NOW + DAY) is None


def test_no_session_begins_under_a_password_that_was_changed(
    store: Store, alice_account: Account
) -> None:
    store.users.change_password_hash(alice_account.user.id, "new")
    assert store.sessions.begin(alice_account, NOW, NOW + DAY) is None


def test_no_session_begins_beside_a_change_of_the_password(store: Store) -> None:
    account = store.account()
    survivors = []
    with ThreadPoolExecutor(2) as pool:
        for round in range(50):
            new = f"hash {round}"
            begun = pool.submit(store.sessions.begin, account, NOW, NOW + DAY)
            changed = pool.submit(store.users.change_password_hash, account.user.id, new)
            assert (changed.result(), begun.exception()) == (True, None)
            survivors += store.sessions.find_all(account.user.id, NOW)
            account = replace(account, password_hash=new)
    assert survivors == []


def begin_later(store: Store, account: Account, number: int, days: int) -> None:
    """Sessions that begin when as many days have passed, by a clock that may be wrong."""
    for _ in range(number):
        assert store.sessions.begin(account, NOW + days * DAY, NOW + (days + 1) * DAY)


@pytest.mark.parametrize(("later", "is_there"), [(WITNESSES - 1, True), (WITNESSES, False)])
def test_an_expired_session_is_forgotten_when_enough_have_begun_after_it(
    store: Store, alice_account: Account, bob_account: Account, later: int, is_there: bool
) -> None:
    old = begin(store, alice_account)
    begin_later(store, bob_account, later, days=2)
    assert (store.sessions.end(old.id, alice_account.user.id) is not None) == is_there


def test_a_login_forgets_few_sessions_and_the_oldest_first(
    store: Store, alice_account: Account
) -> None:
    expired = [begin(store, alice_account, days) for days in (3, 1, 2, 4)]
    begin_later(store, alice_account, WITNESSES, days=9)
    left = [store.sessions.end(each.id, alice_account.user.id) is not None for each in expired]
    assert left == [True, False, False, True]


def test_logins_under_a_clock_that_is_wrong_end_no_session(
    store: Store, alice_account: Account, bob_account: Account
) -> None:
    sessions = [begin(store, alice_account), begin(store, bob_account)]
    begin_later(store, alice_account, WITNESSES - 1, days=80 * 365)
    begin_later(store, alice_account, 5, days=0)
    owners = (alice_account.user.id, bob_account.user.id)
    found = [
        store.sessions.find(TokenClaims(session.id, owner, NOW + DAY), NOW)
        for session, owner in zip(sessions, owners, strict=True)
    ]
    assert [principal and principal.session for principal in found] == sessions


def test_a_clock_that_stays_wrong_ends_few_sessions_a_login(
    store: Store, alice_account: Account, bob_account: Account
) -> None:
    for _ in range(12):
        begin(store, alice_account)
    begin_later(store, bob_account, WITNESSES - 1 + 3, days=80 * 365)
    assert len(store.sessions.find_all(alice_account.user.id, NOW)) == 12 - 3 * FORGOTTEN


def test_sessions_are_listed_newest_first(
    store: Store, alice_account: Account, bob_account: Account
) -> None:
    first, _, second = (
        begin(store, alice_account),
        begin(store, bob_account),
        begin(store, alice_account),
    )
    assert store.sessions.find_all(alice_account.user.id, NOW) == [second, first]


def test_a_touch_moves_the_last_use_alone(store: Store, alice_account: Account) -> None:
    session = begin(store, alice_account)
    store.sessions.touch(session.id, NOW + SECOND)
    expected = Session(session.id, NOW, NOW + SECOND, NOW + DAY)
    assert store.sessions.find_all(alice_account.user.id, NOW) == [expected]


def test_touching_a_session_that_is_gone_does_nothing(store: Store, alice_account: Account) -> None:
    store.sessions.touch(99, NOW)
    assert store.sessions.find_all(alice_account.user.id, NOW) == []


def test_an_ended_session_is_not_found(store: Store, alice_account: Account) -> None:
    session = begin(store, alice_account)
    assert store.sessions.end(session.id, alice_account.user.id) == session
    assert (
        store.sessions.find(TokenClaims(session.id, alice_account.user.id, NOW + DAY), NOW) is None
    )


def test_nobody_ends_the_session_of_another(
    store: Store, alice_account: Account, bob_account: Account
) -> None:
    session = begin(store, alice_account)
    assert store.sessions.end(session.id, bob_account.user.id) is None
    assert store.sessions.find_all(alice_account.user.id, NOW) == [session]


def test_all_sessions_but_one_can_be_ended(
    store: Store, alice_account: Account, bob_account: Account
) -> None:
    kept, ended, other = (
        begin(store, alice_account),
        begin(store, alice_account),
        begin(store, bob_account),
    )
    assert store.sessions.end_all(alice_account.user.id, but=kept.id) == [ended]
    left = (
        store.sessions.find_all(alice_account.user.id, NOW),
        store.sessions.find_all(bob_account.user.id, NOW),
    )
    assert left == ([kept], [other])


def test_all_sessions_can_be_ended(store: Store, alice_account: Account) -> None:
    begin(store, alice_account)
    store.sessions.end_all(alice_account.user.id)
    assert store.sessions.find_all(alice_account.user.id, NOW) == []


def test_the_id_of_an_ended_session_is_not_given_again(
    store: Store, alice_account: Account
) -> None:
    session = begin(store, alice_account)
    store.sessions.end(session.id, alice_account.user.id)
    assert begin(store, alice_account).id > session.id
