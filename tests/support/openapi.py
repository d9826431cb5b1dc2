"""Every answer, held to the OpenAPI document."""

import re
from collections.abc import Container
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from forum.domain.articles import ArticleLimits
from forum.http.openapi import render
from forum.http.routes import FILES, PAGES

DOCUMENT: dict[str, Any] = render(ArticleLimits(10, 300, 100_000))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", path))


_HEADERS = DOCUMENT["components"]["headers"]
_PATHS = {path: _pattern(path) for path in DOCUMENT["paths"]}
_FILES = [_pattern(path) for path in FILES | PAGES]


def check(method: str, target: str, status: int, headers: Container[str], answer: object) -> None:
    """Fail where the document does not allow the answer, whose headers are in lower case."""
    assert "x-request-id" in headers
    path = target.partition("?")[0]
    if method in ("HEAD", "OPTIONS") or any(each.fullmatch(path) for each in _FILES):
        return
    response = _response(method, path, str(status))
    for name in response["headers"]:
        is_there = name.lower() in headers
        assert is_there or not _HEADERS[name].get("required"), (method, path, status, name)
    if "content" not in response:
        assert answer is None
        return
    schema = response["content"]["application/json"]["schema"]["$ref"]
    assert _errors(schema.rpartition("/")[2], answer) == [], (method, path, status)


def _response(method: str, path: str, status: str) -> Any:
    for template, pattern in sorted(_PATHS.items(), key=lambda each: "{" in each[0]):
        if pattern.fullmatch(path) and status != "405":
            operation = DOCUMENT["paths"][template].get(method.lower())
            return operation["responses"][status]
    name = {"404": "NotFound", "405": "MethodNotAllowed"}.get(status)
    return DOCUMENT["components"]["responses"][name] if name else _REFUSED


_REFUSED = {
    "headers": {},
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
"""What may be answered besides where there is no route."""


def _errors(name: str, value: object) -> list[str]:
    return [each.message for each in _validator(name).iter_errors(value)]


@cache
def _validator(name: str) -> Draft202012Validator:
    components = DOCUMENT["components"]
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})
