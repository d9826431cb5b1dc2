"""Every answer, held to the OpenAPI document."""

import re
from functools import cache
from typing import Any

from falcon.testing import Result
from jsonschema import Draft202012Validator

from forum.domain.articles import ArticleLimits
from forum.http.openapi import render

DOCUMENT: dict[str, Any] = render(ArticleLimits(10, 300, 100_000))

_PATHS = {path: re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in DOCUMENT["paths"]}


def check(method: str, path: str, result: Result) -> None:
    """Fail where the document does not allow the answer."""
    if method in ("HEAD", "OPTIONS"):
        return
    assert result.headers["x-request-id"]
    operation = _operation(method, path.partition("?")[0])
    status = str(result.status_code)
    if operation is None or status == "405":
        assert _errors("Error", result.json) == []
        return
    response = operation["responses"][status]
    for name in response["headers"]:
        assert name.lower() in result.headers, (method, path, status, name)
    schema = response["content"]["application/json"]["schema"]["$ref"]
    assert _errors(schema.rpartition("/")[2], result.json) == [], (method, path, status)


def _operation(method: str, path: str) -> Any:
    for template, pattern in sorted(_PATHS.items(), key=lambda each: "{" in each[0]):
        if pattern.fullmatch(path):
            return DOCUMENT["paths"][template].get(method.lower())
    return None


def _errors(name: str, value: object) -> list[str]:
    return [each.message for each in _validator(name).iter_errors(value)]


@cache
def _validator(name: str) -> Draft202012Validator:
    components = DOCUMENT["components"]
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})
