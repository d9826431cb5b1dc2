import pytest
from falcon.testing import Result

from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, ok, refusal

WRONG = refusal(401, "Uncorrect username or/and password")
NOTHING = [None, "", 0, False, [], {}]


def log_in(client: Client, username: object = "alice#1", password: object = PASSWORD) -> Result:
    return client.post("/login", {"username": username, "password": password})


def test_logging_in_answers_a_token_and_whose_it_is(client: Client, bob: str) -> None:
    session = log_in(client, "bobby#2").json
    assert session == {
        "access-token": session["access-token"],
        "user_id": 2,
        "username": "bobby#2",
    }


def test_the_token_of_a_login_names_who_logged_in(client: Client, bob: str) -> None:
    token = log_in(client, "bobby#2").json["access-token"]
    expected = ok({"id": 2, "username": "bobby#2"})
    assert expected == answer(client.post("/verify-token", {"access-token": token}))


@ON_ONE_STORE
def test_no_cache_keeps_a_token(client: Client, alice: str) -> None:
    assert log_in(client).headers["cache-control"] == "no-store"


@ON_ONE_STORE
def test_a_second_login_leaves_the_first_token_valid(client: Client, alice: str) -> None:
    log_in(client)
    assert client.post("/verify-token", {"access-token": alice}).status_code == 200


@ON_ONE_STORE
@pytest.mark.parametrize("nothing", NOTHING)
def test_a_username_that_is_nothing_is_missing(client: Client, alice: str, nothing: object) -> None:
    assert refusal(400, "Username is missing") == answer(log_in(client, username=nothing))


@ON_ONE_STORE
@pytest.mark.parametrize("nothing", NOTHING)
def test_a_password_that_is_nothing_is_missing(client: Client, alice: str, nothing: object) -> None:
    assert refusal(400, "Password is missing") == answer(log_in(client, password=nothing))


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "Username is missing"),
        ({"password": PASSWORD}, "Username is missing"),
        ({"username": "alice#1"}, "Password is missing"),
        ({"username": "x"}, "Password is missing"),
    ],
)
def test_an_absent_field_is_missing_and_the_username_counts_first(
    client: Client, alice: str, body: dict[str, str], sentence: str
) -> None:
    assert refusal(400, sentence) == answer(client.post("/login", body))


@ON_ONE_STORE
@pytest.mark.parametrize(
    "password",
    [
        pytest.param("Password#2", id="another"),
        pytest.param("bad", id="that breaks the rules"),
        pytest.param("password#1", id="in another case"),
        pytest.param("Password#1\n", id="with a line feed at the end"),
        pytest.param(" Password#1", id="with a space at the start"),
        pytest.param("Password#1\0", id="with NUL"),
        pytest.param("Password#1" * 6_000, id="of 60,000 characters"),
        pytest.param(5, id="that is a number"),
        pytest.param(True, id="that is true"),
        pytest.param(["Password#1"], id="that is a list"),
        pytest.param({"$ne": 1}, id="that is an object"),
    ],
)
def test_a_wrong_password_is_refused(client: Client, alice: str, password: object) -> None:
    assert answer(log_in(client, password=password)) == WRONG


@ON_ONE_STORE
@pytest.mark.parametrize(
    "username",
    [
        pytest.param("nobody#1", id="unknown"),
        pytest.param("Alice#1", id="in another case"),
        pytest.param("alice#1 ", id="with a space at the end"),
        pytest.param("alice#1\0", id="with NUL"),
        pytest.param("alice#1' OR 1=1 --", id="with SQL"),
        pytest.param("a" * 60_000, id="of 60,000 characters"),
        pytest.param(1, id="that is the id"),
        pytest.param(2**63, id="that is a number beyond 64 bits"),
        pytest.param(True, id="that is true"),
        pytest.param(["alice#1"], id="that is a list"),
        pytest.param({"$ne": 1}, id="that is an object"),
    ],
)
def test_a_wrong_username_is_refused(client: Client, alice: str, username: object) -> None:
    assert answer(log_in(client, username=username)) == WRONG


def test_an_unknown_name_and_a_wrong_password_are_told_apart_by_nothing(
    client: Client, alice: str
) -> None:
    unknown, wrong = log_in(client, "nobody#1"), log_in(client, password="Password#2")
    del unknown.headers["x-request-id"], wrong.headers["x-request-id"]
    assert (unknown.content, dict(unknown.headers)) == (wrong.content, dict(wrong.headers))
