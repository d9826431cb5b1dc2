import re
from collections.abc import Iterable
from typing import Any

import pytest

from forum.domain.errors import InvalidToken, Refusal, TokenMissing, TooManyRequests, Unavailable
from forum.http.errors import ANSWERS
from forum.http.routes import ROUTES, Route
from forum.http.schemas import PageAnswer
from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, refusal

CREDENTIALS = {"username": "carol#3", "password": PASSWORD}
ALICE = {"username": "alice#1", "password": PASSWORD}
WORDS = {"title": "New article title", "text": "New article text"}
TOKEN = {"access-token": "alice"}

PROFILE = {"id": int, "username": str, "date_registered": str}
WRITTEN = {"id": int, "title": str, "text": str, "date_posted": str, "user_id": int}
HEADLINE = {
    "id": int,
    "date_posted": str,
    "title": str,
    "user_id": int,
    "author.username": str,
}

SESSION = {"id": int, "created": str, "last_used": str, "expires": str, "current": bool}
NEW_PASSWORD = {"password": PASSWORD, "new-password": "Password#2"}

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")

OBJECTS = [
    ("GET", "/articles/1", None, HEADLINE | {"text": str}),
    ("POST", "/articles/new", WORDS | TOKEN, WRITTEN),
    ("PUT", "/articles/1/edit", WORDS | TOKEN, WRITTEN),
    ("DELETE", "/articles/1/delete", TOKEN, WRITTEN),
    ("POST", "/register", CREDENTIALS, PROFILE),
    ("POST", "/login", ALICE, {"access-token": str, "user_id": int, "username": str}),
    ("GET", "/users/1", None, PROFILE),
    ("POST", "/verify-token", TOKEN, {"username": str, "id": int}),
    ("POST", "/logout", TOKEN, {"username": str, "id": int}),
    (
        "POST",
        "/change-password",
        TOKEN | NEW_PASSWORD,
        {"access-token": str, "user_id": int, "username": str},
    ),
    ("GET", "/sessions", TOKEN, {"sessions": list}),
    ("DELETE", "/sessions", TOKEN, {"sessions": list}),
    ("DELETE", "/sessions/1", TOKEN, SESSION),
    ("GET", "/healthz", None, {"status": str}),
    ("GET", "/readyz", None, {"status": str}),
    (
        "GET",
        "/openapi.json",
        None,
        {
            "openapi": str,
            "info": dict,
            "servers": list,
            "tags": list,
            "paths": dict,
            "components": dict,
        },
    ),
]
"""Every documented request that answers one thing, with the keys of the answer."""

LISTS = ["/articles", "/articles?page=1", "/users/1/articles", "/users/1/articles?page=1"]

REFUSALS = [
    ("POST", "/register", {}, 400, "Username is missing"),
    ("POST", "/register", {"username": "x"}, 400, "Password is missing"),
    ("POST", "/register", CREDENTIALS | {"username": "x"}, 400, "Bad username format"),
    ("POST", "/register", CREDENTIALS | {"password": "x"}, 400, "Bad password format"),
    ("POST", "/register", ALICE, 409, "User with such username already exists"),
    ("POST", "/login", {}, 400, "Username is missing"),
    ("POST", "/login", {"username": "alice#1"}, 400, "Password is missing"),
    ("POST", "/login", CREDENTIALS, 401, "Uncorrect username or/and password"),
    ("POST", "/login", ALICE | {"password": "x"}, 401, "Uncorrect username or/and password"),
    ("POST", "/verify-token", {}, 401, "Access-token is missing. Log in, please"),
    ("POST", "/verify-token", {"access-token": "x"}, 401, "Invalid access-token. Log in please"),
    ("POST", "/articles/new", WORDS, 401, "Access-token is missing. Log in, please"),
    (
        "POST",
        "/articles/new",
        WORDS | {"access-token": "x"},
        401,
        "Invalid access-token. Log in please",
    ),
    ("POST", "/articles/new", TOKEN, 400, "Article title is missing"),
    ("POST", "/articles/new", TOKEN | {"title": "A title"}, 400, "Article text is missing"),
    ("POST", "/articles/new", TOKEN | WORDS | {"title": 5}, 400, "Bad article title format"),
    ("POST", "/articles/new", TOKEN | WORDS | {"text": 5}, 400, "Bad article text format"),
    ("PUT", "/articles/1/edit", WORDS, 401, "Access-token is missing. Log in, please"),
    (
        "PUT",
        "/articles/1/edit",
        WORDS | {"access-token": "x"},
        401,
        "Invalid access-token. Log in please",
    ),
    ("PUT", "/articles/222/edit", TOKEN | WORDS, 404, "Article with id=222 was not found"),
    (
        "PUT",
        "/articles/1/edit",
        WORDS | {"access-token": "bob"},
        403,
        "You can edit only own article",
    ),
    ("PUT", "/articles/1/edit", TOKEN, 400, "Article title is missing"),
    ("PUT", "/articles/1/edit", TOKEN | {"title": "A title"}, 400, "Article text is missing"),
    ("DELETE", "/articles/1/delete", {}, 401, "Access-token is missing. Log in, please"),
    (
        "DELETE",
        "/articles/1/delete",
        {"access-token": "x"},
        401,
        "Invalid access-token. Log in please",
    ),
    ("DELETE", "/articles/222/delete", TOKEN, 404, "Article with id=222 was not found"),
    (
        "DELETE",
        "/articles/1/delete",
        {"access-token": "bob"},
        403,
        "You can delete only own article",
    ),
    (
        "PUT",
        "/articles/1/edit",
        TOKEN | WORDS | {"title": "x" * 301},
        400,
        "Bad article title format",
    ),
    ("PUT", "/articles/1/edit", TOKEN | WORDS | {"text": 5}, 400, "Bad article text format"),
    ("POST", "/logout", {}, 401, "Access-token is missing. Log in, please"),
    ("POST", "/logout", {"access-token": "x"}, 401, "Invalid access-token. Log in please"),
    ("POST", "/change-password", {}, 401, "Access-token is missing. Log in, please"),
    ("POST", "/change-password", TOKEN, 400, "Password is missing"),
    ("POST", "/change-password", TOKEN | {"password": "x"}, 400, "New password is missing"),
    (
        "POST",
        "/change-password",
        TOKEN | NEW_PASSWORD | {"new-password": "x"},
        400,
        "Bad new password format",
    ),
    (
        "POST",
        "/change-password",
        TOKEN | NEW_PASSWORD | {"password": "x"},
        401,
        "Uncorrect password",
    ),
    ("GET", "/sessions", {}, 401, "Access-token is missing. Log in, please"),
    ("DELETE", "/sessions", {}, 401, "Access-token is missing. Log in, please"),
    ("DELETE", "/sessions/1", {}, 401, "Access-token is missing. Log in, please"),
    ("DELETE", "/sessions/222", TOKEN, 404, "Session with id=222 was not found"),
    ("GET", "/articles/222", None, 404, "Article with id=222 was not found"),
    ("GET", "/articles?before=x", None, 400, "Bad before format"),
    ("GET", "/users/1/articles?before=x", None, 400, "Bad before format"),
    ("GET", "/users/222/articles?before=x", None, 404, "User with id=222 was not found"),
    ("GET", "/users/222", None, 404, "User with id=222 was not found"),
    ("GET", "/users/222/articles", None, 404, "User with id=222 was not found"),
]
"""Every refusal on every route that can give it. The token "alice" or "bob" stands for a valid one.
"""


@pytest.fixture
def tokens(client: Client, alice: str, bob: str) -> dict[str, str]:
    """The tokens of two users, of whom alice has written an article."""
    client.write(alice)
    return {"alice": alice, "bob": bob}


def with_token(body: dict[str, Any] | None, tokens: dict[str, str]) -> dict[str, Any] | None:
    if body is None or "access-token" not in body:
        return body
    name = body["access-token"]
    return body | {"access-token": tokens.get(name, name)}


def types(thing: dict[str, object]) -> dict[str, type]:
    return {key: type(value) for key, value in thing.items()}


@pytest.mark.parametrize(("method", "path", "body", "expected"), OBJECTS)
def test_a_documented_request_is_answered_with_exactly_the_documented_keys(
    client: Client,
    tokens: dict[str, str],
    *,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    expected: dict[str, type],
) -> None:
    result = client.request(method, path, json=with_token(body, tokens))
    assert (200, expected) == (result.status_code, types(result.json))


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_answered_with_exactly_the_documented_keys(
    client: Client, tokens: dict[str, str], path: str
) -> None:
    result = client.get(path)
    expected = (200, {"articles": list, "next": bool})
    assert expected == (result.status_code, types(result.json))


@pytest.mark.parametrize("path", LISTS)
def test_an_article_in_a_list_has_exactly_the_documented_keys(
    client: Client, tokens: dict[str, str], path: str
) -> None:
    assert [types(each) for each in client.get(path).json["articles"]] == [HEADLINE]


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [each[:3] for each in OBJECTS if {"date_posted", "date_registered", "created"} & set(each[3])],
)
def test_a_moment_is_written_as_documented(
    client: Client,
    tokens: dict[str, str],
    *,
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    thing = client.request(method, path, json=with_token(body, tokens)).json
    assert MOMENT.fullmatch(
        thing.get("date_posted") or thing.get("date_registered") or thing["created"]
    )


@pytest.mark.parametrize(("method", "path", "body", "status", "sentence"), REFUSALS)
def test_a_documented_refusal_has_exactly_the_documented_sentence(
    client: Client,
    tokens: dict[str, str],
    *,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    status: int,
    sentence: str,
) -> None:
    result = client.request(method, path, json=with_token(body, tokens))
    assert refusal(status, sentence) == answer(result)


def route_of(method: str, path: str) -> Route:
    """The row of the table that this request meets."""
    path = re.sub(r"/\d+", "/{}", path.partition("?")[0])
    [route] = [r for r in ROUTES if (r.method, re.sub(r"{\w+}", "{}", r.path)) == (method, path)]
    return route


def test_every_route_has_a_documented_answer() -> None:
    requests = [(method, path) for method, path, *_ in OBJECTS] + [("GET", path) for path in LISTS]
    assert {route_of(*request) for request in requests} == set(ROUTES)


@pytest.mark.parametrize(("method", "path", "body", "expected"), OBJECTS)
def test_a_documented_answer_has_the_keys_of_its_schema(
    *, method: str, path: str, body: object, expected: dict[str, type]
) -> None:
    fields = route_of(method, path).answer().fields
    assert {field.data_key or name for name, field in fields.items()} == set(expected)


@pytest.mark.parametrize("path", LISTS)
def test_a_documented_list_has_the_keys_of_its_schema(path: str) -> None:
    assert route_of("GET", path).answer is PageAnswer


TOKEN_REFUSALS = (TokenMissing, InvalidToken)


def sentences(kinds: Iterable[type[Refusal]]) -> set[str]:
    """What these refusals answer, with the ids and actions of the examples."""
    data = {"id": 222}
    return {
        ANSWERS[kind].sentence.format_map(data | {"action": action})
        for kind in kinds
        for action in ("edit", "delete")
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_table_names_exactly_the_documented_refusals_of_a_route(route: Route) -> None:
    documented = {row[4] for row in REFUSALS if route_of(row[0], row[1]) is route}
    elsewhere = {TooManyRequests, Unavailable}  # in test_sessions.py, test_operations.py
    own = set(route.refusals) - elsewhere
    for kind in own:
        assert sentences([kind]) & documented, kind
    allowed = own | set(TOKEN_REFUSALS if route.needs_token else ())
    assert documented <= sentences(allowed)


def refusals(kind: type[Refusal] = Refusal) -> set[type[Refusal]]:
    """All kinds of refusals below one."""
    below = set(kind.__subclasses__())
    return below.union(*map(refusals, below))


@pytest.mark.parametrize("kind", sorted(refusals(), key=lambda kind: kind.__name__))
def test_every_refusal_has_an_answer(kind: type[Refusal]) -> None:
    assert kind in ANSWERS
