"""The OpenAPI document, from the table of routes, the schemas and the answers to refusals."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from forum import __version__
from forum.domain import errors
from forum.domain.articles import POSITION, ArticleLimits
from forum.domain.errors import Refusal
from forum.domain.ids import MAX_ID
from forum.http.body_schemas import Body, TokenBody
from forum.http.descriptions import DESCRIPTIONS, EXAMPLES, TAGS
from forum.http.errors import (
    ANSWERS,
    FALCON_SENTENCES,
    UNEXPECTED,
    BodyCutShort,
    BodyTooLarge,
    ExpectationFailed,
    MalformedBody,
    NotAnObject,
    UnsupportedMediaType,
)
from forum.http.openapi_shapes import ERROR, HEADERS, complete, describe_timestamp, name_of
from forum.http.routes import ROUTES, Route

_Json = dict[str, Any]

_BODY_REFUSALS = (
    MalformedBody,
    NotAnObject,
    BodyCutShort,
    BodyTooLarge,
    UnsupportedMediaType,
    ExpectationFailed,
)
_TOKEN_REFUSALS = (errors.TokenMissing, errors.InvalidToken)
_EXAMPLE = {"id": 7, "retry_after": 60}


def render(limits: ArticleLimits) -> _Json:
    """The document for a service with these limits."""
    plugin = MarshmallowPlugin(schema_name_resolver=name_of)
    spec = APISpec(
        title="Forum",
        version=__version__,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": "Users register, log in, read, and write articles of their own."},
        servers=[{"url": "."}],  # where this document is, also behind the prefix of a proxy
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    plugin.converter.add_attribute_function(describe_timestamp)  # type: ignore[union-attr]  # made above
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Error", ERROR)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    spec.components.response("NotFound", _refusal({"NotFound": FALCON_SENTENCES[404]}))
    spec.components.response(
        "MethodNotAllowed", _refusal({"MethodNotAllowed": FALCON_SENTENCES[405]}, ["Allow"])
    )
    for route in ROUTES:
        spec.path(route.path, operations={route.method.lower(): _operation(route)})
    document = spec.to_dict()
    complete(document["components"]["schemas"], limits)
    return document


def _operation(route: Route) -> _Json:
    words = DESCRIPTIONS[route.method, route.path]
    operation: _Json = {
        "operationId": words.id,
        "tags": [words.tag],
        "summary": words.summary,
        "description": words.text,
        "parameters": list(_parameters(route)),
        "responses": {**_answered(route), **_refused(route)},
    }
    if route.body and route.method != "GET":  # No browser sends a body with a GET.
        content = {"application/json": {"schema": route.body, "example": _example(route.body)}}
        operation["requestBody"] = {"required": route.body is not TokenBody, "content": content}
    if route.needs_token:  # Or none, where it stands in the body.
        operation["security"] = [{"bearer": []}, *([{}] if "requestBody" in operation else [])]
    return operation


def _example(body: type[Body]) -> _Json:
    """Without the token, which is nobody's, and would count for more than that in the header."""
    names = [each.data_key or name for name, each in body().fields.items()]
    return {name: EXAMPLES[name] for name in names if name != "access-token"}


def _parameters(route: Route) -> Iterable[_Json]:
    for name in re.findall(r"{(\w+)}", route.path):
        schema = {"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_ID}
        yield {"name": name, "in": "path", "required": True, "schema": schema, "example": 1}
    if route.is_public:
        yield {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of what the client has.",
            "schema": {"type": "string"},
        }
    if route.is_paged:
        yield {
            "name": "page",
            "in": "query",
            "description": "From 1 on; what is no page number means the first page.",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
        }
        yield {
            "name": "before",
            "in": "query",
            "description": "Only what follows the entry with this `date_posted`, a comma and its "
            "`id`, as in `Link`: without repeats and gaps while others write. `page` is ignored.",
            "schema": {"type": "string", "pattern": f"^{POSITION}$"},
        }


def _answered(route: Route) -> _Json:
    content = {"schema": route.answer}
    if not route.is_public:
        return {"200": _response("Done.", content)}
    headers = ["ETag", "Link"] if route.is_paged else ["ETag"]
    known = _response("What the client has is still what there is.", None, ["ETag"])
    return {"200": _response("Done.", content, headers), "304": known}


def _response(description: str, content: _Json | None, headers: Iterable[str] = ()) -> _Json:
    names = sorted({*headers, "X-Request-ID"})
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        **({"content": {"application/json": content}} if content else {}),
    }


def _refused(route: Route) -> _Json:
    """The responses to all that the route may refuse, by their status."""
    data = _EXAMPLE | {"action": route.path.rpartition("/")[2]}
    by_status: dict[int, dict[str, str]] = defaultdict(dict, {500: {"Unexpected": UNEXPECTED}})
    headers: dict[int, set[str]] = defaultdict(set)
    for kind in _refusals(route):
        row = ANSWERS[kind]
        by_status[row.status][kind.__name__] = row.sentence.format_map(data)
        headers[row.status].update(row.headers)
    return {
        str(status): _refusal(sentences, headers[status])
        for status, sentences in sorted(by_status.items())
    }


def _refusal(sentences: Mapping[str, str], headers: Iterable[str] = ()) -> _Json:
    """A response that says one of these, by the names of the refusals."""
    examples = {name: {"value": {"error": sentence}} for name, sentence in sentences.items()}
    return _response(
        " ".join(f"{sentence}." for sentence in sentences.values()),
        {"schema": {"$ref": "#/components/schemas/Error"}, "examples": examples},
        headers,
    )


def _refusals(route: Route) -> Iterable[type[Refusal]]:
    """Without repetitions."""
    kinds = [
        *route.refusals,
        *(_TOKEN_REFUSALS if route.needs_token else ()),
        *(_BODY_REFUSALS if route.body else (ExpectationFailed,)),
        errors.Unavailable,
    ]
    return dict.fromkeys(kinds)
