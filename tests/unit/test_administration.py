import pytest

from forum.domain.administration import NoSuchUsername
from forum.domain.credentials import is_password
from forum.domain.errors import InvalidToken, UserNotFound, WrongCredentials
from forum.domain.model import User
from tests.unit.conftest import Forum


def test_a_disabled_user_cannot_log_in_until_enabled(forum: Forum, alice: User) -> None:
    forum.administration.disable("alice#1")
    with pytest.raises(WrongCredentials):
        forum.log_in()
    forum.administration.enable("alice#1")
    assert forum.log_in()


@pytest.mark.parametrize("action", ["disable", "reset_password", "log_out"])
def test_the_sessions_of_a_user_end(forum: Forum, alice: User, action: str) -> None:
    token = forum.log_in()
    getattr(forum.administration, action)("alice#1")
    with pytest.raises(InvalidToken):
        forum.sessions.authenticate(token)


def test_a_reset_password_is_good_and_works(forum: Forum, alice: User) -> None:
    password = forum.administration.reset_password("alice#1")
    assert is_password(password)
    assert forum.log_in(password=password)


def test_a_deleted_user_is_gone_with_their_articles(forum: Forum, alice: User) -> None:
    forum.articles.post(alice, title="A title", text="A text")
    forum.administration.delete("alice#1", None)
    with pytest.raises(UserNotFound):
        forum.users.profile("1")
    assert forum.articles.latest(page=None).headlines == []


def test_another_user_gets_the_articles(forum: Forum, alice: User, bob: User) -> None:
    forum.articles.post(alice, title="A title", text="A text")
    forum.administration.delete("alice#1", "bobby#2")
    assert forum.articles.read("1").author.username == "bobby#2"


def test_nobody_is_deleted_where_the_new_author_is_unknown(forum: Forum, alice: User) -> None:
    with pytest.raises(NoSuchUsername):
        forum.administration.delete("alice#1", "nobody")
    assert forum.users.profile("1") == alice


@pytest.mark.parametrize("action", ["show", "disable", "enable", "reset_password", "log_out"])
def test_an_unknown_name_is_refused(forum: Forum, action: str) -> None:
    with pytest.raises(NoSuchUsername):
        getattr(forum.administration, action)("nobody")


def test_everything_that_operators_do_is_recorded_once(forum: Forum, bob: User) -> None:
    forum.audit_log.all.clear()
    forum.administration.disable("alice#1")
    forum.administration.enable("alice#1")
    forum.administration.reset_password("alice#1")
    forum.administration.log_out("alice#1")
    forum.administration.delete("alice#1", "bobby#2")
    assert forum.audit_log.names() == [
        "user disabled",
        "user enabled",
        "password reset",
        "sessions ended",
        "user deleted",
    ]
