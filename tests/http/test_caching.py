"""What may be kept, and how a client asks whether it is still good."""

import re

import pytest

from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client
from tests.support.pairs import pairs

PUBLIC = [
    "/articles", "/articles?page=2", "/articles?before=2020-02-02T12:00:00.000000,1",
    "/articles/1", "/users/1", "/users/1/articles",
]  # fmt: skip
OTHERS = [
    ("GET", "/articles/9", None, 404),
    ("GET", "/users/9", None, 404),
    ("GET", "/articles?before=x", None, 400),
    ("GET", "/nope", None, 404),
    ("GET", "/healthz", None, 200),
    ("GET", "/openapi.json", None, 200),
    ("GET", "/", None, 200),
    ("GET", "/docs", None, 200),
    ("OPTIONS", "/articles", None, 200),
    ("PATCH", "/articles", None, 405),
    ("POST", "/login", {"username": "alice#1", "password": PASSWORD}, 200),
    ("POST", "/login", {"username": "alice#1", "password": "x"}, 401),
    ("GET", "/sessions", {}, 401),
]


@pytest.fixture
def filled(client: Client, alice: str) -> Client:
    client.write(alice)
    return client


def tag_of(client: Client, path: str) -> str:
    tag = client.get(path).headers["etag"]
    assert isinstance(tag, str)
    return tag


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_answer_has_a_strong_tag_and_is_asked_for_anew(filled: Client, path: str) -> None:
    headers = filled.get(path).headers
    assert re.fullmatch(r'"[0-9a-f]{32}"', headers["etag"])
    assert (headers["cache-control"], "vary" in headers) == ("no-cache", False)


@pytest.mark.parametrize("path", PUBLIC)
def test_the_tag_is_the_same_for_head_and_for_whoever_asks(
    filled: Client, alice: str, path: str
) -> None:
    tag = tag_of(filled, path)
    assert filled.request("HEAD", path).headers["etag"] == tag
    assert filled.get(path, headers={"Authorization": f"Bearer {alice}"}).headers["etag"] == tag


@ON_ONE_STORE
@pytest.mark.parametrize(("method", "path", "body", "status"), OTHERS)
def test_nothing_else_is_kept(
    filled: Client, *, method: str, path: str, body: object, status: int
) -> None:
    result = filled.request(method, path, json=body, headers={"If-None-Match": "*"})
    expected = (status, "no-store", False)
    headers = result.headers
    assert (result.status_code, headers["cache-control"], "etag" in headers) == expected


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("path", "form"),
    pairs(PUBLIC, ["{}", "W/{}", '"x", {}', '{},"x"', 'W/"x" , W/{} ,', "*", " * ", '"a,b", {}']),
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_it_gets_no_body(filled: Client, path: str, form: str, method: str) -> None:
    tag = tag_of(filled, path)
    result = filled.request(method, path, headers={"If-None-Match": form.format(tag)})
    headers = result.headers
    assert (result.status_code, result.content) == (304, b"")
    assert (headers["etag"], headers["cache-control"]) == (tag, "no-cache")
    assert headers["access-control-allow-origin"] == "*"
    assert "content-type" not in headers


@ON_ONE_STORE
@pytest.mark.parametrize(
    "form", ["", '""', '"x"', "{bare}", "**", '"*"', "W/", '"{bare}', "x" * 5000, '"\u00e9"']
)
def test_who_has_something_else_gets_all_of_it(filled: Client, form: str) -> None:
    bare = tag_of(filled, "/articles").strip('"')
    result = filled.get("/articles", headers={"If-None-Match": form.format(bare=bare)})
    assert (result.status_code, len(result.json["articles"])) == (200, 1)


def test_a_write_changes_the_tag_of_what_it_changes_alone(filled: Client, alice: str) -> None:
    before = {path: tag_of(filled, path) for path in PUBLIC}
    body = {"title": "Another", "text": "A text", "access-token": alice}
    filled.put("/articles/1/edit", body)
    after = {path: tag_of(filled, path) for path in PUBLIC}
    changed = {path for path in PUBLIC if before[path] != after[path]}
    assert changed == {"/articles", "/articles/1", "/users/1/articles"}
    known = {"If-None-Match": before["/articles"]}
    assert filled.get("/articles", headers=known).status_code == 200
