"""The history of accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from forum.domain.audit import Auditor
from forum.domain.errors import TooManyRequests, UsernameTaken, WrongCredentials
from forum.domain.model import AuditEntry, User
from tests.unit.conftest import AUDIT_LIFETIME, HERE, LIMITS, PASSWORD, THERE, Forum, KeptAuditLog

OTHER = "Password#2"


def history(forum: Forum, username: str | None = None) -> list[tuple[str, str, str, str]]:
    """What happened, by whom, from where and with which details, the latest first."""
    entries = forum.audit.latest(username, 100)
    return [(each.event, each.actor, each.address, each.details) for each in entries]


def test_an_entry_says_all_that_is_known(forum: Forum, alice: User) -> None:
    [entry] = forum.audit.latest(None, 100)
    assert entry == AuditEntry(
        moment=forum.clock.now(),
        event="registered",
        actor="user 1",
        user_id=1,
        username="alice#1",
        address=HERE,
        details="",
    )


def test_what_a_user_does_is_kept(forum: Forum, alice: User) -> None:
    first = forum.sessions.authenticate(forum.log_in())
    second = forum.sessions.authenticate(forum.log_in(at=THERE))
    third = forum.sessions.authenticate(forum.log_in())
    forum.sessions.end(third, str(second.session.id), address=THERE)
    forum.sessions.end_others(third, address=HERE)
    forum.sessions.change_password(third, password=PASSWORD, new_password=OTHER, address=HERE)
    assert history(forum)[:4] == [
        ("password changed", "user 1", HERE, ""),
        ("session ended", "user 1", HERE, f"session={first.session.id}"),
        ("session ended", "user 1", THERE, f"session={second.session.id}"),
        ("login", "user 1", HERE, ""),
    ]


def test_ending_no_session_leaves_no_entry(forum: Forum, alice: User) -> None:
    principal = forum.sessions.authenticate(forum.log_in())
    before = history(forum)
    forum.sessions.end_others(principal, address=HERE)
    assert history(forum) == before


def test_a_failed_login_is_kept_with_the_account_that_it_was_for(forum: Forum, alice: User) -> None:
    with pytest.raises(WrongCredentials):
        forum.log_in(password=OTHER, at=THERE)
    assert history(forum)[0] == ("login failed", "user 1", THERE, "")


def test_nothing_is_kept_of_a_name_that_nobody_has(forum: Forum) -> None:
    with pytest.raises(WrongCredentials):
        forum.log_in("nobody#1")
    assert history(forum) == []
    assert forum.audit_log.names() == ["login failed"]


def test_what_is_refused_is_not_kept_as_done(forum: Forum, alice: User) -> None:
    with pytest.raises(UsernameTaken):
        forum.register("alice#1")
    assert len(history(forum)) == 1


def test_strangers_cannot_fill_it(alice_behind_limits: Forum) -> None:
    forum = alice_behind_limits
    refusals = 0
    for _ in range(20):
        try:
            forum.log_in(password=OTHER, at=THERE)
        except TooManyRequests:
            refusals += 1
        except WrongCredentials:
            pass
    assert [each[0] for each in history(forum)].count("login failed") == LIMITS.failures_of_name
    assert refusals == 20 - LIMITS.failures_of_name


@pytest.fixture
def alice_behind_limits() -> Forum:
    forum = Forum(limits=LIMITS)
    forum.register("alice#1")
    return forum


def test_what_operators_do_is_kept_with_their_name_and_machine(
    forum: Forum, alice: User, bob: User
) -> None:
    forum.log_in()
    forum.administration.disable("alice#1")
    forum.administration.enable("alice#1")
    forum.administration.reset_password("alice#1")
    forum.administration.log_out("alice#1")
    forum.administration.delete("alice#1", reassign_to="bobby#2")
    by = ("operator root", "a-machine")
    assert history(forum, "alice#1")[:5] == [
        ("user deleted", *by, "reassign_to=2"),
        ("sessions ended", *by, "number=0"),
        ("password reset", *by, ""),
        ("user enabled", *by, ""),
        ("user disabled", *by, ""),
    ]


def test_the_entries_of_one_name_are_found(forum: Forum, alice: User, bob: User) -> None:
    assert history(forum, "bobby#2") == [("registered", "user 2", HERE, "")]


def test_old_entries_are_forgotten(forum: Forum, alice: User) -> None:
    forum.clock.moment += AUDIT_LIFETIME + timedelta(seconds=1)
    forum.register("bobby#2")
    assert [each.username for each in forum.audit.latest(None, 100)] == ["bobby#2"]


class Failing:
    """A trail that keeps nothing."""

    def add(self, entry: AuditEntry, forget_before: object) -> None:
        raise RuntimeError

    def latest(self, username: str | None, limit: int) -> list[AuditEntry]:
        return []


def test_an_act_and_its_entry_are_one_transaction(alice: User) -> None:
    log, happened = KeptAuditLog(), []

    @contextmanager
    def transaction() -> Iterator[None]:
        happened.append("begun")
        try:
            yield
        except RuntimeError:
            happened.append("taken back")
            raise

    auditor = Auditor(Failing(), transaction, log, AUDIT_LIFETIME)
    with pytest.raises(RuntimeError), auditor.act("login", alice.date_registered, alice, HERE):
        happened.append("acted")
    assert (happened, log.all) == (["begun", "acted", "taken back"], [])
