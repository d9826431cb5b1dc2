from dataclasses import replace
from typing import Any

import pytest

from forum.config import Settings
from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, refusal
from tests.support.pairs import pairs
from tests.support.routes import ALL, GET_PATHS, METHODS

pytestmark = ON_ONE_STORE

NO_ROUTE = refusal(404, "Not found")
NO_METHOD = refusal(405, "Method not allowed")

VERBS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "BREW",
    "WEBSOCKET",
]
UNKNOWN = [
    "/nope",
    "/Articles",
    "/REGISTER",
    "/users",
    "/articles/",
    "/articles/1/",
    "/articles/1/edit/",
    "/register/",
    "/users/",
    "/users/1/",
    "//articles",
    "/articles//edit",
    "/users//articles",
    "/articles/1/edit/2",
    "/users/1/nope",
    "/verify_token",
    "/.git/config",
    "/\u00e9",
    "/%ff",
]

ORIGIN = "https://forum.example"
OTHER_ORIGIN = "https://other.example"


OTHER_METHODS = sorted(
    {
        (verb, path)
        for shift in range(3)
        for path, verb in pairs(list(METHODS), VERBS[shift:])
        if verb not in METHODS[path]
    }
)
"""A few methods that each path does not allow, each method among them."""


def named(header: str) -> set[str]:
    """What a header lists."""
    return set(header.split(", "))


@pytest.fixture
def filled(client: Client, alice: str) -> Client:
    """A forum with a user and an article, both with the id 1."""
    client.write(alice)
    return client


@pytest.mark.parametrize(
    ("method", "path"),
    pairs([verb for verb in [*VERBS, "OPTIONS"] if verb != "HEAD"], UNKNOWN),
)
def test_an_unknown_route_is_not_found(filled: Client, method: str, path: str) -> None:
    assert answer(filled.request(method, path)) == NO_ROUTE


@pytest.mark.parametrize(
    ("method", "path"),
    [("OPTIONS", "*"), ("CONNECT", "x:80")],
)
def test_a_target_that_is_no_path_is_not_found(client: Client, method: str, path: str) -> None:
    result, _ = client.exchange([], method=method, path=path)
    assert answer(result) == NO_ROUTE


@pytest.mark.parametrize(("method", "path"), [each for each in OTHER_METHODS if "HEAD" not in each])
def test_another_method_is_not_allowed(filled: Client, method: str, path: str) -> None:
    assert answer(filled.request(method, path)) == NO_METHOD


@pytest.mark.parametrize("path", [path for path in METHODS if path not in GET_PATHS])
def test_head_is_not_allowed_where_get_is_not(filled: Client, path: str) -> None:
    head = filled.request("HEAD", path)
    assert (head.status_code, head.content) == (405, b"")


@pytest.mark.parametrize("method", ["get", "Get", "gEt"])
def test_methods_are_case_sensitive(client: Client, method: str) -> None:
    result, _ = client.exchange([], method=method, path="/articles")
    assert answer(result) == NO_METHOD


@pytest.mark.parametrize(("method", "path"), OTHER_METHODS)
def test_the_refusal_of_a_method_names_all_that_are_allowed(
    filled: Client, method: str, path: str
) -> None:
    assert METHODS[path] == named(filled.request(method, path).headers["allow"])


@pytest.mark.parametrize("path", METHODS)
def test_options_names_all_methods_of_a_route(client: Client, path: str) -> None:
    options = client.request("OPTIONS", path)
    assert (options.status_code, METHODS[path]) == (200, named(options.headers["allow"]))


@pytest.mark.parametrize("path", METHODS)
def test_options_answers_no_body(client: Client, path: str) -> None:
    assert client.request("OPTIONS", path).content == b""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/articles%2F1", NO_ROUTE),
        ("/articles%2f1", NO_ROUTE),
        ("/%2Farticles", NO_ROUTE),
        ("/articles/1%2Fedit", refusal(404, "Article with id=1/edit was not found")),
        ("/articles/1%2F", refusal(404, "Article with id=1/ was not found")),
        ("/articles/%2F", refusal(404, "Article with id=/ was not found")),
        ("/articles/1%252Fedit", refusal(404, "Article with id=1%2Fedit was not found")),
        ("/users/%2f%ff/articles", refusal(404, "User with id=/\ufffd was not found")),
        ("/articles/1/%2F", NO_ROUTE),
    ],
)
def test_an_encoded_slash_is_a_character_of_its_segment(
    filled: Client, path: str, expected: tuple[int, object]
) -> None:
    assert answer(filled.get(path)) == expected


@pytest.mark.parametrize("path", ["/articles/1", "/articles"])
@pytest.mark.parametrize("origin", ["http://any.example", "HTTPS://any.example:8443", "x://"])
def test_a_whole_url_asks_for_its_path(filled: Client, origin: str, path: str) -> None:
    target = origin + path
    result, _ = filled.exchange([], path=target, raw_path=target.encode())
    assert answer(result) == answer(filled.get(path))


@pytest.mark.parametrize("target", ["http://any.example/nope", "x:///nope"])
def test_a_whole_url_of_an_unknown_path_is_not_found(client: Client, target: str) -> None:
    result, _ = client.exchange([], path=target, raw_path=target.encode())
    assert answer(result) == NO_ROUTE


@pytest.mark.parametrize(
    "path", [*GET_PATHS, "/articles?page=2", "/articles/9", "/users/9", "/nope"]
)
def test_head_answers_the_status_and_headers_of_get(filled: Client, path: str) -> None:
    same = {"X-Request-ID": "one-request"}
    get, head = filled.get(path, headers=same), filled.request("HEAD", path, headers=same)
    assert (get.status_code, dict(get.headers)) == (head.status_code, dict(head.headers))


@pytest.mark.parametrize("path", [*GET_PATHS, "/articles/9", "/users/9", "/nope"])
def test_head_answers_no_body(filled: Client, path: str) -> None:
    assert filled.request("HEAD", path).content == b""


@pytest.mark.parametrize("path", GET_PATHS)
def test_the_length_of_an_answer_is_announced(filled: Client, path: str) -> None:
    get = filled.get(path)
    assert str(len(get.content)) == get.headers["content-length"]


ANSWERED = [
    pytest.param("GET", "/articles", {}, 200, id="200"),
    pytest.param("POST", "/register", {}, 400, id="400"),
    pytest.param("POST", "/verify-token", {}, 401, id="401"),
    pytest.param("GET", "/articles/9", {}, 404, id="404 of an article"),
    pytest.param("GET", "/nope", {}, 404, id="404 of a route"),
    pytest.param("PATCH", "/articles", {}, 405, id="405"),
    pytest.param("BREW", "/articles", {}, 405, id="405 of an unknown method"),
    pytest.param(
        "POST", "/register", {"json": {"username": "alice#1", "password": PASSWORD}}, 409, id="409"
    ),
    pytest.param("POST", "/login", {"body": b" " * 2**22}, 413, id="413"),
    pytest.param("POST", "/login", {"body": b"x", "content_type": "text/plain"}, 415, id="415"),
]
"""Requests with an answer of each kind."""


@pytest.mark.parametrize(
    ("request_", "accept"),
    pairs(ANSWERED, [None, "application/xml", "text/html", ";;;,,/", "", "image/*"]),
)
def test_every_answer_is_json_whatever_the_client_accepts(
    filled: Client, request_: Any, accept: str | None
) -> None:
    method, path, options, status = request_.values
    headers = {} if accept is None else {"Accept": accept}
    result = filled.request(method, path, headers=headers, **options)
    expected = (status, "application/json")
    assert expected == (result.status_code, result.headers["content-type"])


@pytest.mark.parametrize(("method", "path", "options", "status"), ANSWERED)
def test_browsers_are_told_not_to_guess_types(
    filled: Client, *, method: str, path: str, options: dict[str, object], status: int
) -> None:
    headers = filled.request(method, path, **options).headers
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("method", "path"), ALL)
def test_every_route_is_answered_for_pages_that_do_not_guess_types(
    filled: Client, method: str, path: str
) -> None:
    headers = filled.request(method, path, headers={"Origin": ORIGIN}).headers
    expected = ("nosniff", "*")
    assert expected == (headers["x-content-type-options"], headers["access-control-allow-origin"])


@pytest.mark.parametrize(("method", "path", "options", "status"), ANSWERED)
class TestAnyOrigin:
    def test_pages_of_every_origin_may_read_every_answer(
        self, filled: Client, *, method: str, path: str, options: dict[str, object], status: int
    ) -> None:
        result = filled.request(method, path, headers={"Origin": ORIGIN}, **options)
        expected = (status, "*")
        assert expected == (result.status_code, result.headers["access-control-allow-origin"])

    def test_no_answer_depends_on_the_origin(
        self, filled: Client, *, method: str, path: str, options: dict[str, object], status: int
    ) -> None:
        result = filled.request(method, path, headers={"Origin": ORIGIN}, **options)
        assert "origin" not in result.headers.get("vary", "").lower()

    def test_one_copy_of_an_answer_serves_everybody(
        self, filled: Client, *, method: str, path: str, options: dict[str, object], status: int
    ) -> None:
        headers = filled.request(method, path, **options).headers
        assert (
            headers["access-control-allow-origin"],
            headers["access-control-expose-headers"],
        ) == (
            "*",
            "ETag, Link, Retry-After, X-Request-ID",
        )


class ForOneOrigin:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, cors_origins=(ORIGIN, "https://second.example"))


class TestConfiguredOrigins(ForOneOrigin):
    @pytest.mark.parametrize(
        ("request_", "origin"), pairs(ANSWERED, [ORIGIN, "https://second.example"])
    )
    def test_pages_of_a_configured_origin_may_read_every_answer(
        self, filled: Client, request_: Any, origin: str
    ) -> None:
        method, path, options, status = request_.values
        result = filled.request(method, path, headers={"Origin": origin}, **options)
        expected = (status, origin)
        assert expected == (result.status_code, result.headers["access-control-allow-origin"])
        assert "X-Request-ID" in named(result.headers["access-control-expose-headers"])

    @pytest.mark.parametrize(
        ("request_", "origin"),
        pairs(ANSWERED, [OTHER_ORIGIN, ORIGIN + ".evil.example", ORIGIN.upper(), "null", "*"]),
    )
    def test_pages_of_another_origin_may_read_none(
        self, filled: Client, request_: Any, origin: str
    ) -> None:
        method, path, options, _ = request_.values
        result = filled.request(method, path, headers={"Origin": origin}, **options)
        assert "access-control-allow-origin" not in result.headers

    @pytest.mark.parametrize(
        ("request_", "headers"),
        pairs(ANSWERED, [{}, {"Origin": ORIGIN}, {"Origin": OTHER_ORIGIN}]),
    )
    def test_caches_are_told_that_answers_depend_on_the_origin(
        self, filled: Client, request_: Any, headers: dict[str, str]
    ) -> None:
        method, path, options, _ = request_.values
        result = filled.request(method, path, headers=headers, **options)
        assert result.headers["vary"] == "Origin"


def preflight(method: str, origin: str = ORIGIN) -> dict[str, str]:
    """What a browser asks before it sends a request of another origin's page."""
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }


@pytest.mark.parametrize(("method", "path"), ALL)
class TestPreflight:
    def test_a_preflight_allows_the_method_of_the_route(
        self, client: Client, path: str, method: str
    ) -> None:
        result = client.request("OPTIONS", path, headers=preflight(method))
        assert method in named(result.headers["access-control-allow-methods"])

    def test_a_preflight_allows_the_headers_of_json_and_tokens(
        self, client: Client, path: str, method: str
    ) -> None:
        result = client.request("OPTIONS", path, headers=preflight(method))
        assert {"authorization", "content-type"} <= named(
            result.headers["access-control-allow-headers"].lower()
        )

    def test_a_preflight_succeeds_for_every_origin(
        self, client: Client, path: str, method: str
    ) -> None:
        result = client.request("OPTIONS", path, headers=preflight(method))
        expected = (200, "*")
        assert expected == (result.status_code, result.headers["access-control-allow-origin"])

    def test_a_preflight_is_an_answer_to_options_too(
        self, client: Client, path: str, method: str
    ) -> None:
        result = client.request("OPTIONS", path, headers=preflight(method))
        assert METHODS[path] == named(result.headers["allow"])


@pytest.mark.parametrize(("method", "path"), ALL)
class TestPreflightOfConfiguredOrigins(ForOneOrigin):
    def test_a_preflight_succeeds_for_a_configured_origin(
        self, client: Client, path: str, method: str
    ) -> None:
        headers = client.request("OPTIONS", path, headers=preflight(method)).headers
        expected = (ORIGIN, "Origin")
        assert expected == (headers["access-control-allow-origin"], headers["vary"])

    def test_a_preflight_fails_for_another_origin(
        self, client: Client, path: str, method: str
    ) -> None:
        result = client.request("OPTIONS", path, headers=preflight(method, OTHER_ORIGIN))
        assert not [name for name in result.headers if name.startswith("access-control-")]


def test_a_preflight_of_an_unknown_route_is_not_found(client: Client) -> None:
    assert answer(client.request("OPTIONS", "/nope", headers=preflight("GET"))) == NO_ROUTE


@pytest.mark.parametrize("path", ["/articles", "/register", "/nope"])
def test_a_websocket_is_closed_before_it_opens(client: Client, path: str) -> None:
    incoming = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}]
    scope = {"type": "websocket", "scheme": "ws", "subprotocols": [], "path": path}
    sent = client.converse(incoming, **scope)
    assert [message["type"] for message in sent] == ["websocket.close"]
