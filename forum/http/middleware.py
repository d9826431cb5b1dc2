"""What surrounds every request."""

from collections.abc import Callable
from typing import Any

from falcon import CORSMiddleware
from falcon.asgi import Request, Response

from forum.http.guard import REFUSAL, REQUEST_ID


class GuardRefusals:
    """Answers what the guard refused, before any route is looked for."""

    async def process_request(self, req: Request, resp: Response) -> None:
        refusal = req.scope.get(REFUSAL)
        if refusal:
            raise refusal()


_EXPOSED = "ETag, Link, Retry-After, X-Request-ID"
"""What pages of other origins may read besides the few headers that they always may."""


class ResponseHeaders(CORSMiddleware[Any, Any]):
    """Falcon's CORS, with what it leaves out; no guessing of types; the id of the request.

    No cache keeps what does not say so itself.
    """

    def __init__(self, cors_origins: str | list[str]) -> None:
        super().__init__(cors_origins, expose_headers=_EXPOSED)
        self._is_open = cors_origins == "*"

    async def process_response_async(
        self, req: Request, resp: Response, resource: object, req_succeeded: bool
    ) -> None:
        resp.set_header("X-Content-Type-Options", "nosniff")
        resp.set_header("X-Request-ID", req.scope[REQUEST_ID])
        if not resp.get_header("Cache-Control"):
            resp.set_header("Cache-Control", "no-store")
        if req.get_header("Origin"):
            allow = resp.get_header("Allow")
            self.process_response(req, resp, resource, req_succeeded)
            if allow:  # Falcon moves it to another header in the answer to a preflight.
                resp.set_header("Allow", allow)
        elif self._is_open:  # The same for everybody, so that one copy in a cache serves all.
            resp.set_header("Access-Control-Allow-Origin", "*")
            resp.set_header("Access-Control-Expose-Headers", _EXPOSED)
        if not self._is_open:
            resp.append_header("Vary", "Origin")


class Shutdown:
    """Gives back what the service holds when the server stops."""

    def __init__(self, close: Callable[[], object]) -> None:
        self._close = close

    async def process_shutdown(self, scope: object, event: object) -> None:
        self._close()
