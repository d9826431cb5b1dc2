"""The shapes and headers of the OpenAPI document: what its operations refer to."""

from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field

from forum.domain.articles import DATE, ArticleLimits
from forum.http.descriptions import EXAMPLES
from forum.http.schemas import Timestamp

_Json = dict[str, Any]

HEADERS: dict[str, _Json] = {
    "Accept": {
        "description": "What a body may be.",
        "required": True,
        "schema": {"type": "string", "enum": ["application/json"]},
    },
    "Allow": {
        "description": "The methods that the path has.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Z]+(, [A-Z]+)*$"},
    },
    "ETag": {
        "description": "Of the answer, equal in all processes; for `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Link": {
        "description": 'Where the list goes on, with `rel="next"`, if it does.',
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which it is worth trying again.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "WWW-Authenticate": {
        "description": "`Bearer`.",
        "required": True,
        "schema": {"type": "string", "enum": ["Bearer"]},
    },
    "X-Request-ID": {
        "description": "The id of the request, which the log of the service knows.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
}


ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}


def name_of(schema: type[Schema] | Schema) -> str:
    """What the shape is called in the document."""
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Answer")


def describe_timestamp(self: object, field: Field[Any], **_: object) -> _Json:
    """What a time looks like; nothing for other fields."""
    if not isinstance(field, Timestamp):
        return {}
    return {
        "type": "string",
        "pattern": f"^{DATE}$",
        "description": "UTC, to the microsecond.",
        "examples": ["2020-02-02T00:17:49.735642"],
    }


def complete(schemas: dict[str, _Json], limits: ArticleLimits) -> None:
    """Say what the schemas alone do not: what must be there, and how long it may be."""
    for schema in schemas.values():
        for name, each in schema["properties"].items():
            each.pop("default", None)  # None stands for what is missing, and is no value.
            if name in EXAMPLES:
                each["examples"] = [EXAMPLES[name]]
        # The token may stand in a header.
        schema["required"] = sorted(set(schema["properties"]) - {"access-token"})
    schemas["Login"]["required"].append("access-token")
    words = schemas["ArticleBody"]["properties"]
    words["title"]["maxLength"], words["text"]["maxLength"] = limits.title, limits.text
