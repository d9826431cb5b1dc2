"""One question to the store for all requests that are here."""

import time

import pytest

from forum.http.dispatch import received
from forum.http.shared_version import SharedVersion


class Store:
    """Counts how often it was asked for its version."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> object:
        self.asked += 1
        return self.asked


@pytest.fixture
def version() -> SharedVersion:
    return SharedVersion(Store())


def asked(version: SharedVersion, arrived: float) -> object:
    """What a request that arrived then is told."""
    token = received.set(arrived)
    try:
        return version()
    finally:
        received.reset(token)


def test_requests_that_had_arrived_share_an_answer(version: SharedVersion) -> None:
    early = time.monotonic()
    assert [asked(version, early), asked(version, early), asked(version, early - 1)] == [1, 1, 1]


def test_a_request_that_arrived_later_is_told_anew(version: SharedVersion) -> None:
    early = time.monotonic()
    asked(version, early)
    assert [asked(version, time.monotonic()), asked(version, early)] == [2, 2]


def test_a_request_that_arrived_at_an_unknown_time_is_told_anew(version: SharedVersion) -> None:
    assert [version(), version()] == [1, 2]
