from datetime import timedelta

from forum.domain.model import Quota
from tests.contract.conftest import DAY, NOW, Store, at_once

MINUTE = timedelta(minutes=1)
THREE = Quota("three", 3, MINUTE)
FIVE = Quota("five", 5, MINUTE)


def test_a_quota_is_used_up_after_its_limit(store: Store) -> None:
    results = [store.rate_counters.acquire([THREE], NOW) for _ in range(4)]
    assert results == [None, None, None, NOW + MINUTE]


def test_a_window_begins_at_the_first_time(store: Store) -> None:
    store.rate_counters.acquire([THREE], NOW)
    results = [store.rate_counters.acquire([THREE], NOW + MINUTE / 2) for _ in range(3)]
    assert results == [None, None, NOW + MINUTE]


def test_a_quota_is_free_again_when_its_window_is_over(store: Store) -> None:
    for _ in range(4):
        store.rate_counters.acquire([THREE], NOW)
    assert store.rate_counters.acquire([THREE], NOW + MINUTE) is None


def test_a_quota_that_was_used_up_is_not_counted_in_the_others(store: Store) -> None:
    for _ in range(9):
        store.rate_counters.acquire([FIVE, THREE], NOW)
    results = [store.rate_counters.acquire([FIVE], NOW) for _ in range(3)]
    assert results == [None, None, NOW + MINUTE]


def test_what_was_given_back_can_be_taken_again(store: Store) -> None:
    for _ in range(3):
        store.rate_counters.acquire([THREE], NOW)
    store.rate_counters.refund([THREE], NOW)
    results = [store.rate_counters.acquire([THREE], NOW) for _ in range(2)]
    assert results == [None, NOW + MINUTE]


def test_nothing_is_given_back_after_the_window(store: Store) -> None:
    store.rate_counters.acquire([THREE], NOW)
    store.rate_counters.refund([THREE], NOW + MINUTE)
    results = [store.rate_counters.acquire([THREE], NOW + MINUTE) for _ in range(4)]
    assert results == [None, None, None, NOW + 2 * MINUTE]


def test_keys_are_counted_apart(store: Store) -> None:
    for _ in range(3):
        store.rate_counters.acquire([THREE], NOW)
    assert store.rate_counters.acquire([Quota("other", 3, MINUTE)], NOW) is None


def test_a_clock_that_is_put_back_locks_nobody_out(store: Store) -> None:
    for _ in range(3):
        store.rate_counters.acquire([THREE], NOW)
    assert store.rate_counters.acquire([THREE], NOW - DAY) is None


def test_who_looked_at_the_clock_earlier_is_counted_in_the_same_window(store: Store) -> None:
    moments = [NOW, NOW - timedelta(seconds=1), NOW - timedelta(minutes=1), NOW]
    results = [store.rate_counters.acquire([THREE], moment) for moment in moments]
    assert results == [None, None, None, NOW + MINUTE]


def test_of_many_at_once_exactly_the_limit_passes(store: Store) -> None:
    results = at_once(8, lambda: store.rate_counters.acquire([THREE, FIVE], NOW))
    assert results.count(None) == 3
