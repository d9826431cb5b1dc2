"""The OpenAPI document is valid, and says what the service does."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from forum.domain.articles import ArticleLimits
from forum.domain.credentials import PASSWORD, USERNAME
from forum.http.descriptions import DESCRIPTIONS, EXAMPLES, TAGS
from forum.http.errors import ANSWERS
from forum.http.openapi import render
from forum.http.routes import ROUTES
from tests.http.conftest import ON_ONE_STORE, Client
from tests.support.openapi import DOCUMENT
from tests.support.servers import run

OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for path in DOCUMENT["paths"].values()
    for operation in path.values()
]


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


@ON_ONE_STORE
def test_it_is_answered_as_it_is_rendered(client: Client) -> None:
    assert client.get("/openapi.json").json == json.loads(json.dumps(DOCUMENT))


def test_the_command_line_prints_it(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, "openapi").stdout) == json.loads(json.dumps(DOCUMENT))


def test_it_has_every_route_and_no_other() -> None:
    documented = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
    }
    assert documented == {(route.method, route.path) for route in ROUTES} == set(DESCRIPTIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_described(operation: dict[str, object]) -> None:
    assert operation["summary"]
    assert str(operation["description"]).endswith(".")
    assert set(operation["tags"]) <= set(TAGS)  # type: ignore[call-overload]


def test_no_two_operations_share_an_id() -> None:
    ids = [each.id for each in DESCRIPTIONS.values()]
    assert sorted(set(ids)) == sorted(ids)


def test_every_sentence_of_a_refusal_is_an_example() -> None:
    text = json.dumps(DOCUMENT)
    data = {"id": 7, "action": "edit"}
    sentences = {row.sentence.format_map(data) for row in ANSWERS.values()}
    assert [each for each in sentences if json.dumps({"error": each}) not in text] == []


EXECUTED = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def example_of(operation: dict[str, Any]) -> Any:
    """The body of the example of a request, or None."""
    body = operation.get("requestBody")
    return body["content"]["application/json"]["example"] if body else None


@pytest.mark.parametrize(("method", "path", "operation"), EXECUTED)
def test_every_example_of_a_request_is_done_and_answered_as_its_example(
    client: Client, method: str, path: str, operation: dict[str, Any]
) -> None:
    paths = DOCUMENT["paths"]
    if path != "/register":
        client.post("/register", example_of(paths["/register"]["post"]))
    token = client.post("/login", example_of(paths["/login"]["post"])).json.get("access-token")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if path != "/articles/new":
        new = example_of(paths["/articles/new"]["post"])
        client.post("/articles/new", new, headers=headers)
    values = {
        each["name"]: each["example"] for each in operation["parameters"] if "example" in each
    }
    result = client.request(
        method, path.format(**values), json=example_of(operation), headers=headers
    )
    assert result.status_code == 200
    assert differing(result.json) == {}


def differing(answer: Any) -> dict[str, object]:
    """What differs in an answer from the examples of its fields."""
    flat = [answer, *itertools.chain(*(each for each in answer.values() if type(each) is list))]
    return {
        name: value
        for each in flat
        for name, value in each.items()
        if name in EXAMPLES and value != EXAMPLES[name]
    }


def test_no_example_carries_a_token() -> None:
    assert "access-token" not in json.dumps([example_of(each[2]) for each in EXECUTED])


def test_no_get_has_a_body_for_browsers_send_none() -> None:
    assert [
        path for method, path, each in EXECUTED if method == "GET" and "requestBody" in each
    ] == []


def test_every_example_of_a_refusal_has_the_form_of_one() -> None:
    found = re.findall(r'"value": (\{.*?\})', json.dumps(DOCUMENT))
    assert len(found) > 100
    assert {tuple(json.loads(each)) for each in found} == {("error",)}


def test_the_rules_of_the_domain_are_in_it() -> None:
    fields = DOCUMENT["components"]["schemas"]["RegistrationBody"]["properties"]
    assert fields["username"]["pattern"] == f"^{USERNAME}$"
    assert fields["password"]["pattern"] == f"^{PASSWORD}$"


def test_the_limits_of_the_settings_are_in_it() -> None:
    document = render(ArticleLimits(page_size=10, title=11, text=12))
    fields = document["components"]["schemas"]["ArticleBody"]["properties"]
    assert (fields["title"]["maxLength"], fields["text"]["maxLength"]) == (11, 12)


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("TokenBody", []),
        ("ArticleBody", ["text", "title"]),
        ("RegistrationBody", ["password", "username"]),
        ("Login", ["user_id", "username", "access-token"]),
    ],
)
def test_what_must_be_there_is_said(name: str, required: list[str]) -> None:
    assert DOCUMENT["components"]["schemas"][name]["required"] == required
