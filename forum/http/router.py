"""Which methods a route knows."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import falcon
from falcon.asgi import Request, Response
from falcon.routing import CompiledRouter

from forum.http.guard import Scope

Responder = Callable[..., Awaitable[None]]

_SLASH = "\udc2f"
"""Stands for a slash inside a segment: a surrogate comes out of no percent-encoding."""


_REMEMBERED = 4096
"""Paths whose route is not looked for again."""

_LONGEST_REMEMBERED = 64
"""Bytes of a path; longer ones would take room, and name nothing."""


class Router(CompiledRouter):
    """Falcon's router.

    GET brings HEAD, every answer about methods names all of them, and no segment is empty.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known_template = lru_cache(_REMEMBERED)(self._template)

    def find(self, uri: str, req: Any = None) -> Any:
        if req and b"%2" in req.scope.get("raw_path", b""):
            return self._find_with_slashes(req.scope["raw_path"])
        has_empty_segment = "//" in uri or (uri.endswith("/") and uri != "/")
        return None if has_empty_segment else super().find(uri)  # It would match as an empty id.

    def template_of(self, scope: Scope) -> str | None:
        """The path of the route that a request asks for, as in the table of routes, or None."""
        path, raw_path = scope["path"], scope.get("raw_path", b"")
        if len(raw_path) > _LONGEST_REMEMBERED:
            return self._template(path, raw_path)
        return self._known_template(path, raw_path)

    def find_target(self, path: str, raw_path: bytes) -> Any:
        """As `find`; `raw_path` is the path before its percent-encoding was removed."""
        return self._find_with_slashes(raw_path) if b"%2" in raw_path else self.find(path)

    def _template(self, path: str, raw_path: bytes) -> str | None:
        found = self.find_target(path, raw_path)
        return str(found[3]) if found else None

    def _find_with_slashes(self, raw_path: bytes) -> Any:
        """What is found for a path whose segments may have slashes of their own, sent as %2F."""
        segments = [
            unquote_to_bytes(each).decode(errors="replace") for each in raw_path.split(b"/")
        ]
        found = self.find("/".join(each.replace("/", _SLASH) for each in segments))
        if found is None:
            return None
        resource, methods, params, template = found
        params = {name: value.replace(_SLASH, "/") for name, value in params.items()}
        return resource, methods, params, template

    def map_http_methods(self, resource: object, **kwargs: Any) -> dict[str, Any]:
        methods: dict[str, Any] = dict(super().map_http_methods(resource, **kwargs))
        if "GET" in methods:
            methods["HEAD"] = methods["GET"]
        allowed = sorted([*methods, "OPTIONS"])
        methods["OPTIONS"] = _answer_options(allowed)
        return _Methods(methods, _refuse_method(allowed))


class _Methods(dict[str, Any]):
    """The responders of a route, with one for every method in the world.

    Falcon knows only the common ones.
    """

    def __init__(self, methods: dict[str, Any], default: Responder) -> None:
        super().__init__(methods)
        self._default = default

    def __missing__(self, method: str) -> Responder:
        return self._default


def _answer_options(allowed: list[str]) -> Responder:
    async def on_options(req: Request, resp: Response, **params: str) -> None:
        resp.set_header("Allow", ", ".join(allowed))
        resp.set_header("Content-Length", "0")

    return on_options


def _refuse_method(allowed: list[str]) -> Responder:
    async def on_other(req: Request, resp: Response, **params: str) -> None:
        raise falcon.HTTPMethodNotAllowed(allowed)

    return on_other
