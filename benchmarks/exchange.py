"""Requests to an ASGI application in this process, without a server."""

from typing import Any

import orjson
from falcon import RequestOptions, ResponseOptions
from falcon.asgi import Request, Response

from benchmarks.parts import Responder
from forum.http.guard import Application, Message, Receive, Scope, Send

_REQUESTS, _RESPONSES = RequestOptions(), ResponseOptions()


class Exchange:
    """A request with this body as JSON, or without one."""

    def __init__(self, method: str, path: str, body: object) -> None:
        self._content = orjson.dumps(body) if body else b""
        headers = [(b"host", b"127.0.0.1")]
        if body:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", b"%d" % len(self._content)))
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
        }

    async def ask(self, app: Application) -> None:
        """Let the application answer, and forget what it answers."""

        async def receive() -> Message:
            return {"type": "http.request", "body": self._content, "more_body": False}

        async def send(message: Message) -> None:
            pass

        await app(dict(self._scope), receive, send)


def responding(responder: Responder) -> Application:
    """An application that has no framework around the responder but its request and response."""

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await responder(Request(scope, receive, options=_REQUESTS), Response(_RESPONSES))

    return app


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that does not even answer."""


async def no_answer(req: Request, resp: Response) -> None:
    """A responder that does nothing."""
