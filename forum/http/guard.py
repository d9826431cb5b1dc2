"""The ASGI callable around Falcon that lets in only whole requests of a reasonable size.

Falcon takes the end of a connection for the end of a body, so a request that was cut short would run;
and it asks for the body before anything can refuse it. Here the body is read first, and a refusal is
left in the scope for Falcon to answer, so that it looks like every other.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from forum.domain.errors import Refusal
from forum.http.errors import BodyCutShort, BodyTooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSAL = "forum.refusal"
"""The key of the scope under which a refused request carries its `Refusal`."""

_DIGITS = 18
"""Of an announced length; more say nothing more about a limit, and Python refuses to read thousands."""


class Guard:
    """An ASGI application that hands whole requests with bodies of at most `body_limit` bytes to another."""

    def __init__(self, app: Application, body_limit: int) -> None:
        self._app = app
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._admit(scope, receive, send)
            case "websocket":
                await send({"type": "websocket.close"})
            case _:
                await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        _repair_query(scope)
        try:
            body = await self._read_body(scope, receive)
        except Refusal as refusal:
            scope[REFUSAL] = refusal
            body = b""
        await self._app(scope, _replay(body, receive), send)

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        length = _content_length(scope)
        if length == 0:
            return b""
        if length is not None and length > self._body_limit:
            raise BodyTooLarge
        body = await self._receive_all(receive)
        if length is not None and len(body) < length:
            raise BodyCutShort
        return body

    async def _receive_all(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BodyCutShort
            body += message.get("body", b"")
            if len(body) > self._body_limit:
                raise BodyTooLarge
            if not message.get("more_body"):
                return bytes(body)


def _content_length(scope: Scope) -> int | None:
    """The announced length: 0 if there is no body, None if it comes in chunks."""
    length: int | None = 0
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = int(value[:_DIGITS]) if value.isdigit() else None
    return length


def _repair_query(scope: Scope) -> None:
    # Falcon decodes the query as UTF-8, and raises outside its own error handling.
    query: bytes = scope["query_string"]
    if not query.isascii():
        scope["query_string"] = query.decode(errors="replace").encode()


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that answers the whole body at once, and after it whatever comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
