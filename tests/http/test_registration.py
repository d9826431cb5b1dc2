from typing import Any

import pytest
from falcon.testing import Result

from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, refusal

BAD_USERNAME = refusal(400, "Bad username format")
BAD_PASSWORD = refusal(400, "Bad password format")
NOTHING = [None, "", 0, False, [], {}]
SYMBOLS = "!@#$%^&*-_"


def register(client: Client, username: object = "alice#1", password: object = PASSWORD) -> Result:
    return client.post("/register", {"username": username, "password": password})


def test_registering_answers_the_new_user(client: Client) -> None:
    user = register(client).json
    assert user == {
        "id": 1,
        "username": "alice#1",
        "date_registered": user["date_registered"],
    }


@ON_ONE_STORE
@pytest.mark.parametrize("nothing", NOTHING)
def test_a_username_that_is_nothing_is_missing(client: Client, nothing: object) -> None:
    assert refusal(400, "Username is missing") == answer(register(client, username=nothing))


@ON_ONE_STORE
@pytest.mark.parametrize("nothing", NOTHING)
def test_a_password_that_is_nothing_is_missing(client: Client, nothing: object) -> None:
    assert refusal(400, "Password is missing") == answer(register(client, password=nothing))


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "Username is missing"),
        ({"password": PASSWORD}, "Username is missing"),
        ({"password": "bad"}, "Username is missing"),
        ({"username": "alice#1"}, "Password is missing"),
        ({"username": "x"}, "Password is missing"),
        ({"username": "x", "password": "bad"}, "Bad username format"),
        ({"username": "alice#1", "password": "bad"}, "Bad password format"),
    ],
)
def test_what_is_missing_counts_before_formats_and_the_username_before_the_password(
    client: Client, body: dict[str, str], sentence: str
) -> None:
    assert refusal(400, sentence) == answer(client.post("/register", body))


@ON_ONE_STORE
@pytest.mark.parametrize(
    "username",
    ["abcde", "a" * 20, "ABCDE", "12345", "01234", SYMBOLS, "-----", "null-", "__proto__"],
)
def test_a_username_of_5_to_20_allowed_characters_is_accepted(
    client: Client, username: str
) -> None:
    assert username == register(client, username).json["username"]


@ON_ONE_STORE
@pytest.mark.parametrize(
    "username",
    [
        pytest.param("abcd", id="of 4 characters"),
        pytest.param("a" * 21, id="of 21 characters"),
        pytest.param("a" * 60_000, id="of 60,000 characters"),
        pytest.param("alice 1", id="with a space"),
        pytest.param("alice#1\n", id="with a line feed at the end"),
        pytest.param("\nalice#1", id="with a line feed at the start"),
        pytest.param("abc\0de", id="with NUL"),
        pytest.param("alice.1", id="with a dot"),
        pytest.param("alice+1", id="with a plus"),
        pytest.param("alice[]", id="with what stands between A-Z and a-z"),
        pytest.param("alíce#1", id="with an accent"),
        pytest.param("\uff11\uff12\uff13\uff14\uff15", id="of fullwidth digits"),
        pytest.param("\u0661\u0662\u0663\u0664\u0665", id="of Arabic digits"),
        pytest.param("\u0430lice#1", id="with a Cyrillic letter"),
        pytest.param("\u212aelvin", id="with the Kelvin sign"),
        pytest.param("alice\u200b", id="with a zero-width space"),
        pytest.param("😀😀😀😀😀", id="of emoji"),
    ],
)
def test_a_username_that_breaks_the_rules_is_refused(client: Client, username: str) -> None:
    assert answer(register(client, username)) == BAD_USERNAME


@ON_ONE_STORE
@pytest.mark.parametrize("username", [12345, 1.5, True, ["abcde"], {"a": 1}, 2**63, -1])
def test_a_username_that_is_no_string_is_refused(client: Client, username: object) -> None:
    assert answer(register(client, username)) == BAD_USERNAME


@ON_ONE_STORE
@pytest.mark.parametrize(
    "password",
    ["Abcdef1!", "A" * 37 + "a1!", *(f"Passwd1{symbol}" for symbol in SYMBOLS), "!1aAAAAA"],
)
def test_a_password_of_8_to_40_allowed_characters_is_accepted(
    client: Client, password: str
) -> None:
    assert register(client, password=password).status_code == 200


@ON_ONE_STORE
@pytest.mark.parametrize(
    "password",
    [
        pytest.param("Abcde1!", id="of 7 characters"),
        pytest.param("A" * 38 + "a1!", id="of 41 characters"),
        pytest.param("Aa1!" * 15_000, id="of 60,000 characters"),
        pytest.param("PASSWORD#1", id="without a lower-case letter"),
        pytest.param("password#1", id="without an upper-case letter"),
        pytest.param("Password##", id="without a digit"),
        pytest.param("Password11", id="without a symbol"),
        pytest.param("PASSWORDñ#1", id="with a foreign letter for the lower-case one"),
        pytest.param("Password#\u0661", id="with a foreign digit for the digit"),
        pytest.param("Password.1", id="with another symbol"),
        pytest.param("Password#1.", id="with another symbol besides"),
        pytest.param("Password#1\n", id="with a line feed at the end"),
        pytest.param("Pass word#1", id="with a space"),
        pytest.param("Pässword#1", id="with an accent"),
        pytest.param("Password#1\0", id="with NUL"),
    ],
)
def test_a_password_that_breaks_the_rules_is_refused(client: Client, password: str) -> None:
    assert answer(register(client, password=password)) == BAD_PASSWORD


@ON_ONE_STORE
@pytest.mark.parametrize("password", [12345678, 1.5, True, ["Password#1"], {"a": 1}])
def test_a_password_that_is_no_string_is_refused(client: Client, password: object) -> None:
    assert answer(register(client, password=password)) == BAD_PASSWORD


def test_a_taken_username_is_refused(client: Client, alice: str) -> None:
    expected = refusal(409, "User with such username already exists")
    assert expected == answer(register(client, "alice#1", "Another#1"))


def test_a_refused_registration_leaves_the_password_of_the_first_user_alone(
    client: Client, alice: str
) -> None:
    register(client, "alice#1", "Another#1")
    credentials = {"username": "alice#1", "password": PASSWORD}
    assert client.post("/login", credentials).status_code == 200


@ON_ONE_STORE
def test_a_taken_username_with_a_bad_password_does_not_tell_that_it_is_taken(
    client: Client, alice: str
) -> None:
    assert answer(register(client, "alice#1", "bad")) == BAD_PASSWORD


def test_usernames_are_case_sensitive(client: Client, alice: str) -> None:
    assert register(client, "Alice#1").status_code == 200


def test_one_of_many_who_want_a_name_at_once_gets_it(client: Client) -> None:
    body = {"username": "alice#1", "password": PASSWORD}
    answers = client.together(5, "POST", "/register", json=body)
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409, 409]


@ON_ONE_STORE
@pytest.mark.parametrize(
    "extra",
    [
        {"id": 77},
        {"is_admin": True},
        {"date_registered": "1999-01-01T00:00:00.000000"},
        {"password_hash": "x"},
        {"__class__": {}},
    ],
)
def test_fields_that_nobody_asked_for_are_never_stored(
    client: Client, extra: dict[str, Any]
) -> None:
    body = {"username": "alice#1", "password": PASSWORD}
    registered = client.post("/register", body | extra).json
    assert registered == {
        "id": 1,
        "username": "alice#1",
        "date_registered": client.get("/users/1").json["date_registered"],
    }


@ON_ONE_STORE
def test_no_answer_about_a_user_shows_a_password_or_its_hash(client: Client) -> None:
    register(client)
    assert set(client.get("/users/1").json) == {"id", "username", "date_registered"}
