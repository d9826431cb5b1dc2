import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forum.domain.credentials import is_password, is_username, random_password
from forum.domain.errors import (
    BadPassword,
    BadUsername,
    PasswordMissing,
    UsernameMissing,
    UsernameTaken,
    UserNotFound,
)
from forum.domain.model import User
from tests.unit.conftest import HERE, PASSWORD, Forum

SYMBOLS = set("!@#$%^&*-_")
ALLOWED = SYMBOLS | set(string.ascii_letters) | set(string.digits)

NEAR_MISSES = st.text(st.sampled_from([*sorted(ALLOWED), "\n", " ", "é", "٣", "\uff11", "\0"]))
NAMES = st.text(st.sampled_from(sorted(ALLOWED)), max_size=45)


@given(st.one_of(st.text(), NAMES, NEAR_MISSES))
@example("abcd")
@example("abcde\n")
@example("a" * 20)
@example("a" * 21)
def test_a_username_is_accepted_if_and_only_if_it_is_documented(name: str) -> None:
    assert is_username(name) == (5 <= len(name) <= 20 and set(name) <= ALLOWED)


@given(st.one_of(st.text(), NAMES, NEAR_MISSES, NAMES.map(lambda name: name + "aA1#")))
@example("Password#1")
@example("Password#1\n")
@example("aA1#" * 10)
@example("aA1#" * 10 + "a")
def test_a_password_is_accepted_if_and_only_if_it_is_documented(password: str) -> None:
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SYMBOLS)
    has_all = all(set(password) & set(kind) for kind in kinds)
    expected = 8 <= len(password) <= 40 and set(password) <= ALLOWED and has_all
    assert is_password(password) == expected


@pytest.mark.parametrize("value", [None, 5, 12345, True, ["alice#1"], {"a": 1}, b"alice#1"])
def test_what_is_no_string_is_neither(value: object) -> None:
    assert (is_username(value), is_password(value)) == (False, False)


def test_a_random_password_satisfies_the_rules() -> None:
    assert all(is_password(random_password()) for _ in range(100))


def test_a_new_user_is_registered_now(forum: Forum) -> None:
    assert forum.register("alice#1") == User(1, "alice#1", forum.clock.now())


def test_the_password_is_stored_as_its_hash(forum: Forum, alice: User) -> None:
    assert forum.store.accounts[alice.id].password_hash == forum.hasher.hash(PASSWORD)


@pytest.mark.parametrize(
    ("username", "password", "refusal"),
    [
        (None, None, UsernameMissing),
        ("", PASSWORD, UsernameMissing),
        ("alice#1", None, PasswordMissing),
        ("x", "", PasswordMissing),
        ("x", "y", BadUsername),
        (["alice#1"], PASSWORD, BadUsername),
        ("alice#1", "y", BadPassword),
        ("alice#1", 5, BadPassword),
        ("taken", "y", BadPassword),
        ("taken", PASSWORD, UsernameTaken),
    ],
)
def test_registration_is_refused_for_the_first_reason(
    forum: Forum, username: object, password: object, refusal: type[Exception]
) -> None:
    forum.register("taken")
    with pytest.raises(refusal):
        forum.users.register(username=username, password=password, address=HERE)


@pytest.mark.parametrize(("username", "password"), [("x", PASSWORD), ("alice#1", "A1#a" * 10**6)])
def test_nothing_is_hashed_for_a_bad_format(forum: Forum, username: str, password: str) -> None:
    with pytest.raises((BadUsername, BadPassword)):
        forum.users.register(username=username, password=password, address=HERE)
    assert forum.hasher.count == 0


def test_a_profile_is_found_by_id(forum: Forum, alice: User) -> None:
    assert forum.users.profile("1") == alice


@pytest.mark.parametrize(
    "id",
    [
        "0",
        "2",
        "01",
        "+1",
        "-1",
        "1.0",
        "1_0",
        " 1",
        "1 ",
        "1\n",
        "abc",
        "",
        "\u0661",
        "\u00b9",
        "0x1",
        "1e0",
        "9" * 5000,
        str(2**63),
        str(2**63 - 1),
    ],
)
def test_any_other_spelling_finds_nobody_and_is_kept_as_it_was(
    forum: Forum, alice: User, id: str
) -> None:
    with pytest.raises(UserNotFound) as caught:
        forum.users.profile(id)
    assert caught.value.id == id
