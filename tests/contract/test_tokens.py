from datetime import UTC, datetime, timedelta

import jwt
import pytest

from forum.adapters.tokens import JwtTokens, key_id
from forum.domain.model import Credentials

NOW = datetime(2020, 2, 2, tzinfo=UTC)
SOON = NOW + timedelta(seconds=10)
ALICE = Credentials(session_id=7, user_id=1)

OLD = "an old secret of more than thirty-two bytes"
NEW = "a new secret of more than thirty-two bytes"


def tokens(*secrets: str) -> JwtTokens:
    return JwtTokens(lambda: secrets)


def test_a_token_says_what_it_was_issued_for() -> None:
    assert tokens(OLD).read(tokens(OLD).issue(ALICE, SOON), NOW) == ALICE


@pytest.mark.parametrize(("seconds", "expected"), [(9, ALICE), (10, None), (3600, None)])
def test_a_token_lasts_by_the_time_that_is_given(
    seconds: int, expected: Credentials | None
) -> None:
    token = tokens(OLD).issue(ALICE, SOON)
    assert tokens(OLD).read(token, NOW + timedelta(seconds=seconds)) == expected


def test_a_clock_that_was_put_back_ends_no_token() -> None:
    assert tokens(OLD).read(tokens(OLD).issue(ALICE, SOON), NOW - timedelta(hours=1)) == ALICE


def test_another_service_verifies_a_token_with_the_bytes_of_the_secret() -> None:
    token = tokens(OLD).issue(ALICE, datetime(2100, 1, 1, tzinfo=UTC))
    assert jwt.decode(token, OLD.encode(), ["HS256"])["sub"] == "1"


def test_a_token_under_another_secret_is_refused() -> None:
    assert tokens(NEW).read(tokens(OLD).issue(ALICE, SOON), NOW) is None


def test_an_older_secret_still_verifies() -> None:
    assert tokens(NEW, OLD).read(tokens(OLD).issue(ALICE, SOON), NOW) == ALICE


def test_the_first_secret_signs() -> None:
    header = jwt.get_unverified_header(tokens(NEW, OLD).issue(ALICE, SOON))
    assert header["kid"] == key_id(NEW)


def test_a_secret_that_came_later_is_found() -> None:
    secrets = [OLD]
    running = JwtTokens(lambda: secrets)
    secrets.insert(0, NEW)
    assert running.read(tokens(NEW, OLD).issue(ALICE, SOON), NOW) == ALICE


def test_a_key_id_does_not_tell_its_secret() -> None:
    assert key_id(OLD) not in OLD


@pytest.mark.parametrize("secret", ["short", ""])
def test_a_short_secret_signs_nothing(secret: str) -> None:
    with pytest.raises((jwt.InvalidKeyError, ValueError)):
        tokens(secret)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "\ud800", "😀", "x" * 10**6, "\0", "eyJhbGciOiJub25lIn0.e30."]
)
def test_what_is_no_token_is_refused_and_raises_nothing(token: str) -> None:
    assert tokens(OLD).read(token, NOW) is None


@pytest.mark.parametrize("end", ["\ud800", "é", "\n", "."])
def test_a_token_with_something_behind_it_is_refused(end: str) -> None:
    assert tokens(OLD).read(tokens(OLD).issue(ALICE, SOON) + end, NOW) is None
