from dataclasses import replace
from datetime import UTC, datetime

import jwt
import pytest

from forum.adapters.tokens import JwtTokens, key_id
from forum.domain.model import TokenClaims

ALICE = TokenClaims(session_id=7, user_id=1, expires=datetime(2100, 1, 1, tzinfo=UTC))

OLD = "an old secret of more than thirty-two bytes"
NEW = "a new secret of more than thirty-two bytes"


def tokens(*secrets: str) -> JwtTokens:
    return JwtTokens(lambda: secrets)


def test_a_token_says_what_it_was_issued_for() -> None:
    assert tokens(OLD).read(tokens(OLD).issue(ALICE)) == ALICE


def test_a_token_that_has_expired_still_says_so() -> None:
    past = replace(ALICE, expires=datetime(2020, 2, 2, tzinfo=UTC))
    assert tokens(OLD).read(tokens(OLD).issue(past)) == past


def test_expiry_is_kept_to_the_second() -> None:
    precise = replace(ALICE, expires=ALICE.expires.replace(microsecond=999_999))
    assert tokens(OLD).read(tokens(OLD).issue(precise)) == ALICE


def test_what_is_remembered_of_a_token_ends_with_its_secret() -> None:
    secrets = [OLD]
    running = JwtTokens(lambda: secrets)
    token = running.issue(ALICE)
    before = running.read(token)
    secrets[0] = NEW
    running.read(tokens(NEW).issue(ALICE))
    assert (before, running.read(token)) == (ALICE, None)


@pytest.mark.parametrize("expires", [10**18, -(10**18), 10**30, 1.5, "1", None, True])
def test_a_moment_that_cannot_be_is_refused(expires: object) -> None:
    header = {"kid": key_id(OLD)}
    token = jwt.encode({"sub": "1", "jti": "7", "exp": expires}, OLD.encode(), "HS256", header)
    assert tokens(OLD).read(token) is None


def test_another_service_verifies_a_token_with_the_bytes_of_the_secret() -> None:
    token = tokens(OLD).issue(ALICE)
    assert jwt.decode(token, OLD.encode(), ["HS256"])["sub"] == "1"


def test_a_token_under_another_secret_is_refused() -> None:
    assert tokens(NEW).read(tokens(OLD).issue(ALICE)) is None


def test_an_older_secret_still_verifies() -> None:
    assert tokens(NEW, OLD).read(tokens(OLD).issue(ALICE)) == ALICE


def test_the_first_secret_signs() -> None:
    header = jwt.get_unverified_header(tokens(NEW, OLD).issue(ALICE))
    assert header["kid"] == key_id(NEW)


def test_a_secret_that_came_later_is_found() -> None:
    secrets = [OLD]
    running = JwtTokens(lambda: secrets)
    secrets.insert(0, NEW)
    assert running.read(tokens(NEW, OLD).issue(ALICE)) == ALICE


def test_what_is_known_stays_good_while_the_secrets_cannot_be_read() -> None:
    secrets = iter([[OLD]])

    def load() -> list[str]:
        for each in secrets:
            return each
        raise OSError

    running = JwtTokens(load)
    stranger = running.read(tokens(NEW).issue(ALICE))
    assert (stranger, running.read(tokens(OLD).issue(ALICE))) == (None, ALICE)


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
    assert tokens(OLD).read(token) is None


@pytest.mark.parametrize("end", ["\ud800", "é", "\n", "."])
def test_a_token_with_something_behind_it_is_refused(end: str) -> None:
    assert tokens(OLD).read(tokens(OLD).issue(ALICE) + end) is None
