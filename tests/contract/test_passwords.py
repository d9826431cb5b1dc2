import pytest
from argon2 import PasswordHasher

from forum.adapters.passwords import Argon2Passwords

CHEAP = Argon2Passwords(memory_cost=8, time_cost=1)


def test_a_hash_is_accepted_for_its_password_and_no_other() -> None:
    password_hash = CHEAP.hash("Password#1")
    answers = [CHEAP.verify(password_hash, each) for each in ("Password#1", "password#1", "")]
    assert answers == [True, False, False]


def test_two_hashes_of_a_password_differ() -> None:
    assert CHEAP.hash("Password#1") != CHEAP.hash("Password#1")


def test_a_hash_does_not_contain_the_password() -> None:
    assert "Password#1" not in CHEAP.hash("Password#1")


UNREADABLE = pytest.mark.parametrize(
    "password_hash",
    [None, "", "x", "Password#1", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$YQ$YQ", "\0", "é"],
)


@UNREADABLE
def test_what_cannot_be_compared_costs_one_hash_too(
    password_hash: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(PasswordHasher, "hash", lambda _, password: hashed.append(password))
    CHEAP.verify(password_hash, "Password#1")
    assert hashed == ["Password#1"]


@UNREADABLE
def test_without_a_readable_hash_nothing_is_accepted(password_hash: str | None) -> None:
    assert not CHEAP.verify(password_hash, "Password#1")


@pytest.mark.parametrize("weaker", [{"memory_cost": 8}, {"time_cost": 1}])
def test_a_hash_of_weaker_parameters_is_outdated(weaker: dict[str, int]) -> None:
    strong = {"memory_cost": 16, "time_cost": 2}
    assert Argon2Passwords(**strong).is_outdated(Argon2Passwords(**strong | weaker).hash("x"))


def test_a_hash_of_the_same_parameters_is_not_outdated() -> None:
    assert not CHEAP.is_outdated(CHEAP.hash("Password#1"))


def test_production_uses_argon2id_at_the_floor_of_owasp() -> None:
    assert Argon2Passwords().hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
