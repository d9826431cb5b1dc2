from collections.abc import Callable
from datetime import timedelta

import pytest

from forum.domain.errors import Refusal, TooManyRequests, WrongCredentials
from tests.unit.conftest import HERE, LIMITS, PASSWORD, THERE, Forum


@pytest.fixture
def forum() -> Forum:
    forum = Forum(LIMITS)
    forum.register("alice#1")
    forum.register("bobby#2")
    return forum


def results(count: int, function: Callable[[], object]) -> list[type[Refusal] | None]:
    """How each of as many calls is refused."""

    def call() -> type[Refusal] | None:
        try:
            function()
        except Refusal as refusal:
            return type(refusal)
        return None

    return [call() for _ in range(count)]


def fail(forum: Forum, name: str = "alice#1", at: str = HERE) -> Callable[[], object]:
    return lambda: forum.log_in(name, "Wrong#123", at)


def test_failures_are_bounded_for_a_name_and_an_address(forum: Forum) -> None:
    assert results(4, fail(forum)) == [WrongCredentials] * 3 + [TooManyRequests]


def test_nothing_is_hashed_above_the_limit(forum: Forum) -> None:
    results(3, fail(forum))
    forum.hasher.count = 0
    results(5, fail(forum))
    assert forum.hasher.count == 0


def test_a_stranger_cannot_lock_a_name(forum: Forum) -> None:
    results(9, fail(forum, at=THERE))
    assert forum.log_in("alice#1", PASSWORD, HERE)


def test_failures_are_bounded_for_an_address(forum: Forum) -> None:
    results(3, fail(forum))
    assert results(3, fail(forum, "nobody")) == [WrongCredentials] * 2 + [TooManyRequests]


def test_failures_are_bounded_for_everybody(forum: Forum) -> None:
    for number in range(8):
        results(1, fail(forum, at=f"203.0.113.{number}"))
    assert results(1, fail(forum)) == [TooManyRequests]


def test_logins_that_succeed_are_not_counted(forum: Forum) -> None:
    assert results(20, forum.log_in) == [None] * 20


def test_the_limit_ends_with_its_window(forum: Forum) -> None:
    results(4, fail(forum))
    forum.clock.moment += LIMITS.window
    assert results(1, forum.log_in) == [None]


def test_a_refusal_tells_how_long_to_wait(forum: Forum) -> None:
    results(3, fail(forum))
    forum.clock.moment += timedelta(seconds=100.5)
    with pytest.raises(TooManyRequests) as caught:
        forum.log_in()
    assert caught.value.retry_after == 200


def test_registrations_are_bounded_for_an_address_and_a_minute(forum: Forum) -> None:
    names = iter(f"user-{number}" for number in range(9))
    assert results(3, lambda: forum.register(next(names))) == [None, None, TooManyRequests]


def test_registrations_are_bounded_for_an_address_and_an_hour(forum: Forum) -> None:
    names = iter(f"user-{number}" for number in range(9))
    forum.clock.moment += timedelta(minutes=1)
    assert results(5, lambda: forum.register(next(names))) == [None] * 4 + [TooManyRequests]


def test_posts_are_bounded_for_a_user_and_a_minute(forum: Forum) -> None:
    alice = forum.users.profile("1")
    post = lambda: forum.articles.post(alice, title="A title", text="A text")  # noqa: E731
    assert results(4, post) == [None] * 3 + [TooManyRequests]


def test_too_many_requests_are_recorded(forum: Forum) -> None:
    results(4, fail(forum))
    assert forum.audit_log.names()[-1] == "too many requests"


def test_without_limits_everybody_may_do_everything() -> None:
    forum = Forum(limits=None)
    assert results(50, fail(forum)) == [WrongCredentials] * 50
