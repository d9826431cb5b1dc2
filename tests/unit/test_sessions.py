from datetime import timedelta

import pytest

from forum.domain.errors import (
    BadNewPassword,
    InvalidToken,
    NewPasswordMissing,
    PasswordMissing,
    SessionNotFound,
    TokenMissing,
    TooManyRequests,
    UsernameMissing,
    WrongCredentials,
    WrongPassword,
)
from forum.domain.model import Principal, User
from forum.domain.sessions import STEP
from tests.unit.conftest import HERE, LIFETIME, LIMITS, PASSWORD, THERE, Forum

OTHER = "Password#2"


def visit(forum: Forum, token: str) -> Principal:
    return forum.sessions.authenticate(token)


@pytest.fixture
def alice_forum() -> Forum:
    """A forum with limits, and alice."""
    forum = Forum(LIMITS)
    forum.register("alice#1")
    return forum


def test_who_logs_in_is_known_by_the_token(forum: Forum, alice: User) -> None:
    assert visit(forum, forum.log_in()).user == alice


@pytest.mark.parametrize(
    ("username", "password", "refusal"),
    [
        (None, None, UsernameMissing),
        ("alice#1", 0, PasswordMissing),
        ("alice#1", OTHER, WrongCredentials),
        ("alice#1", PASSWORD + "\n", WrongCredentials),
        ("alice#1", ["a"], WrongCredentials),
        ("nobody", PASSWORD, WrongCredentials),
        ({"$ne": 1}, PASSWORD, WrongCredentials),
        (2**70, PASSWORD, WrongCredentials),
    ],
)
def test_a_login_is_refused_for_the_first_reason(
    forum: Forum, alice: User, username: object, password: object, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        forum.sessions.log_in(username=username, password=password, address=HERE)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice#1", OTHER),
        ("nobody", PASSWORD),
        ("x", PASSWORD),
        (5, PASSWORD),
        ("alice#1", 5),
        ("alice#1", "aA1#" * 10**6),
        ("broken", PASSWORD),
        ("disabled", PASSWORD),
    ],
)
def test_every_failed_login_costs_exactly_one_hash(
    forum: Forum, alice: User, username: object, password: object
) -> None:
    broken, disabled = forum.register("broken"), forum.register("disabled")
    forum.store.accounts[broken.id] = type(forum.store.accounts[broken.id])(broken, "")
    forum.administration.disable(disabled.username)
    forum.hasher.count = 0
    with pytest.raises(WrongCredentials):
        forum.sessions.log_in(username=username, password=password, address=HERE)
    assert forum.hasher.count == 1


def test_a_login_costs_one_hash(forum: Forum, alice: User) -> None:
    forum.hasher.count = 0
    forum.log_in()
    assert forum.hasher.count == 1


def test_an_outdated_hash_is_renewed_at_the_login(forum: Forum, alice: User) -> None:
    forum.hasher.mark = "v2"
    forum.log_in()
    assert forum.store.accounts[alice.id].password_hash == f"v2 {PASSWORD}"


def test_the_session_of_a_login_that_renewed_the_hash_is_valid(forum: Forum, alice: User) -> None:
    forum.hasher.mark = "v2"
    assert visit(forum, forum.log_in()).user == alice


@pytest.mark.parametrize("nothing", [None, "", 0, False, [], {}])
def test_a_token_that_is_nothing_is_missing(forum: Forum, nothing: object) -> None:
    with pytest.raises(TokenMissing):
        forum.sessions.authenticate(nothing)


@pytest.mark.parametrize(
    "token",
    [5, True, ["a"], {"a": 1}, "99 1 2100-01-01T00:00:00+00:00", "1 2 2100-01-01T00:00:00+00:00"],
)
def test_a_token_of_no_session_is_invalid(forum: Forum, bob: User, token: object) -> None:
    forum.log_in()
    with pytest.raises(InvalidToken):
        forum.sessions.authenticate(token)


@pytest.mark.parametrize("late", [timedelta(), timedelta(days=1)])
def test_a_session_ends_with_its_lifetime(forum: Forum, alice: User, late: timedelta) -> None:
    token = forum.log_in()
    forum.clock.moment += LIFETIME + late
    with pytest.raises(InvalidToken):
        visit(forum, token)


def test_logging_out_ends_the_session_that_asks_and_no_other(forum: Forum, alice: User) -> None:
    ended, kept = forum.log_in(), forum.log_in()
    assert forum.sessions.log_out(visit(forum, ended), address=HERE) == alice
    with pytest.raises(InvalidToken):
        visit(forum, ended)
    assert visit(forum, kept).user == alice


def test_logging_out_twice_at_once_works_once(forum: Forum, alice: User) -> None:
    principal = visit(forum, forum.log_in())
    forum.sessions.log_out(principal, address=HERE)
    with pytest.raises(InvalidToken):
        forum.sessions.log_out(principal, address=HERE)


@pytest.mark.parametrize(
    ("password", "new_password", "refusal"),
    [
        (None, None, PasswordMissing),
        ("", OTHER, PasswordMissing),
        (OTHER, "", NewPasswordMissing),
        (OTHER, "x", BadNewPassword),
        (PASSWORD, 5, BadNewPassword),
        (OTHER, OTHER, WrongPassword),
        (5, OTHER, WrongPassword),
    ],
)
def test_a_change_of_password_is_refused_for_the_first_reason(
    forum: Forum, alice: User, password: object, new_password: object, refusal: type[Exception]
) -> None:
    principal = visit(forum, forum.log_in())
    with pytest.raises(refusal):
        forum.sessions.change_password(
            principal, password=password, new_password=new_password, address=HERE
        )
    assert forum.log_in()


def test_a_changed_password_is_the_only_one_that_works(forum: Forum, alice: User) -> None:
    forum.sessions.change_password(
        visit(forum, forum.log_in()), password=PASSWORD, new_password=OTHER, address=HERE
    )
    assert forum.log_in(password=OTHER)
    with pytest.raises(WrongCredentials):
        forum.log_in(password=PASSWORD)


def test_a_change_of_password_leaves_only_the_fresh_session(forum: Forum, alice: User) -> None:
    old, other = forum.log_in(), forum.log_in()
    fresh = forum.sessions.change_password(
        visit(forum, old), password=PASSWORD, new_password=OTHER, address=HERE
    ).token
    assert visit(forum, fresh).user == alice
    for token in (old, other):
        with pytest.raises(InvalidToken):
            visit(forum, token)


def test_one_sees_ones_own_sessions(forum: Forum, bob: User) -> None:
    forum.log_in("bobby#2")
    first, second = visit(forum, forum.log_in()), visit(forum, forum.log_in())
    assert forum.sessions.list_all(first) == [second.session, first.session]


def test_one_can_end_all_sessions_but_this(forum: Forum, alice: User) -> None:
    ended, this = visit(forum, forum.log_in()), visit(forum, forum.log_in())
    assert forum.sessions.end_others(this, address=HERE) == [ended.session]
    assert forum.sessions.list_all(this) == [this.session]


def test_one_can_end_a_session(forum: Forum, alice: User) -> None:
    ended, this = visit(forum, forum.log_in()), visit(forum, forum.log_in())
    assert forum.sessions.end(this, str(ended.session.id), address=HERE) == ended.session


@pytest.mark.parametrize("id", ["2", "99", "abc", "01", "0"])
def test_one_cannot_end_what_is_not_ones_own(forum: Forum, bob: User, id: str) -> None:
    this = visit(forum, forum.log_in("alice#1"))
    forum.log_in("bobby#2")
    with pytest.raises(SessionNotFound) as caught:
        forum.sessions.end(this, id, address=HERE)
    assert caught.value.id == id


def test_a_session_is_touched_after_a_step_only(forum: Forum, alice: User) -> None:
    token = forum.log_in()
    forum.clock.moment += STEP - timedelta(seconds=1)
    early = visit(forum, token)
    forum.clock.moment += timedelta(seconds=1)
    assert (early.is_touch_due, visit(forum, token).is_touch_due) == (False, True)


def test_a_session_that_was_used_by_a_wrong_clock_is_touched(forum: Forum, alice: User) -> None:
    token = forum.log_in()
    forum.clock.moment -= 80 * timedelta(days=365)
    assert visit(forum, token).is_touch_due


def test_tokens_are_good_again_after_a_login_under_a_wrong_clock(forum: Forum, alice: User) -> None:
    token, right = forum.log_in(), forum.clock.moment
    forum.clock.moment += 80 * timedelta(days=365)
    forum.log_in()
    forum.clock.moment = right
    assert visit(forum, token).user == alice


def test_a_touched_session_was_used_now(forum: Forum, alice: User) -> None:
    token = forum.log_in()
    forum.clock.moment += STEP
    forum.sessions.touch(visit(forum, token))
    assert visit(forum, token).session.last_used == forum.clock.now()


def test_who_guesses_the_old_password_is_bounded_too(alice_forum: Forum) -> None:
    principal = visit(alice_forum, alice_forum.log_in())
    for _ in range(LIMITS.failures_of_name):
        with pytest.raises(WrongPassword):
            alice_forum.sessions.change_password(
                principal, password=OTHER, new_password=OTHER, address=HERE
            )
    with pytest.raises(TooManyRequests):
        alice_forum.sessions.change_password(
            principal, password=PASSWORD, new_password=OTHER, address=HERE
        )


def test_the_login_of_a_disabled_user_has_failed(alice_forum: Forum) -> None:
    alice_forum.administration.disable("alice#1")
    for _ in range(LIMITS.failures_of_name):
        with pytest.raises(WrongCredentials):
            alice_forum.log_in()
    with pytest.raises(TooManyRequests):
        alice_forum.log_in()
    assert "login failed" in alice_forum.audit_log.names()


def test_every_event_is_recorded_once(forum: Forum, alice: User) -> None:
    forum.audit_log.all.clear()
    principal = visit(forum, forum.log_in())
    with pytest.raises(WrongCredentials):
        forum.log_in(password=OTHER, at=THERE)
    forum.sessions.change_password(principal, password=PASSWORD, new_password=OTHER, address=HERE)
    with pytest.raises(InvalidToken):
        visit(forum, f"{principal.session.id} 1 {(forum.clock.now() + LIFETIME).isoformat()}")
    forum.sessions.log_out(visit(forum, forum.log_in(password=OTHER)), address=HERE)
    assert forum.audit_log.names() == [
        "login",
        "login failed",
        "password changed",
        "token refused",
        "login",
        "session ended",
    ]


def test_a_refused_token_is_recorded_with_the_reason(forum: Forum, alice: User) -> None:
    token = forum.log_in()
    forum.sessions.log_out(visit(forum, token), address=HERE)
    forum.audit_log.all.clear()
    for refused in ("garbage", token):
        with pytest.raises(InvalidToken):
            visit(forum, refused)
    forum.clock.moment += LIFETIME
    with pytest.raises(InvalidToken):
        visit(forum, token)
    reasons = [details["reason"] for _, details in forum.audit_log.all]
    assert reasons == ["forged or malformed", "session ended", "expired"]


def test_no_event_tells_a_password_a_token_or_a_hash(forum: Forum, alice: User) -> None:
    token = forum.log_in()
    with pytest.raises(WrongCredentials):
        forum.log_in(password=OTHER)
    forum.sessions.change_password(
        visit(forum, token), password=PASSWORD, new_password=OTHER, address=HERE
    )
    with pytest.raises(WrongCredentials):
        forum.log_in(username=OTHER)
    told = str(forum.audit_log.all)
    secrets = (PASSWORD, OTHER, token, forum.store.accounts[alice.id].password_hash)
    assert [each for each in secrets if each in told] == []
