"""The ASGI callable around Falcon that lets in only whole requests of a reasonable size.

Falcon takes the end of a connection for the end of a body, so a request that was cut short would
run; and it asks for the body before anything can refuse it. Here the body is read first, and a
refusal is left in the scope for Falcon to answer, so that it looks like every other.
"""

import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from forum.arrival import ARRIVED
from forum.domain.errors import Refusal
from forum.http.body_memory import Body, BodyMemory
from forum.http.dispatch import received
from forum.http.errors import BodyCutShort, BodyMemoryFull, BodyTooLarge, ExpectationFailed
from forum.http.request_ids import name_request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BodyLimit = Callable[[Scope], int]
"""The longest body, in bytes, that the route of a request reads; 0 where it takes none."""

REFUSAL = "forum.refusal"
"""The key of the scope under which a refused request carries the class of its `Refusal`.

Not the refusal itself: its traceback leads to the request, which would then hold itself, body and
all.
"""

REQUEST_ID = "forum.request_id"
"""The key of the scope under which every request carries its id."""

_FORWARDED = {b"x-forwarded-for", b"forwarded"}

_DIGITS = 18
"""Of an announced length; more say nothing more about a limit, and Python refuses to read
thousands.
"""


class Guard:
    """An ASGI application that hands whole requests with bodies of bounded size to another."""

    def __init__(
        self,
        app: Application,
        body_limit: BodyLimit,
        body_memory: int,
        notice_forwarded: Callable[[Scope], None],
    ) -> None:
        """All bodies that are here at one moment have at most `body_memory` bytes.

        `notice_forwarded` is called for each request that says for whom it was forwarded.
        """
        self._app = app
        self._notice_forwarded = notice_forwarded
        self._body_limit = body_limit
        self._memory = BodyMemory(body_memory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._admit(scope, receive, send)
            case "websocket":
                await send({"type": "websocket.close"})
            case _:
                await self._app(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        _repair(scope)
        length, expects, is_forwarded, id = _announced(scope)
        scope[REQUEST_ID] = name_request(id)
        if is_forwarded:
            self._notice_forwarded(scope)
        if expects not in (None, b"100-continue"):
            scope[REFUSAL] = ExpectationFailed
        elif length != 0:
            limit = self._body_limit(scope)
            if length is None or length <= limit:
                await self._admit_with_body(scope, receive, send, limit, length)
                return
            if limit:
                scope[REFUSAL] = BodyTooLarge
        received.set(scope.get(ARRIVED) or time.monotonic())
        await self._app(scope, _replay(b"", receive), send)

    async def _admit_with_body(
        self, scope: Scope, receive: Receive, send: Send, limit: int, length: int | None
    ) -> None:
        body = Body()
        try:
            refusal = await self._receive_all(body, receive, limit, length) if limit else None
            if refusal:
                scope[REFUSAL] = refusal
                self._memory.empty(body)
            received.set(scope.get(ARRIVED) or time.monotonic())
            await self._app(scope, _replay(bytes(body.content), receive), send)
        finally:
            self._memory.empty(body)

    async def _receive_all(
        self, body: Body, receive: Receive, limit: int, length: int | None
    ) -> type[Refusal] | None:
        """Fill the body; what is to be answered where that fails, or None."""
        refusal = self._take(body, first := await receive(), limit)
        if refusal is None and first.get("more_body"):
            refusal = await self._receive_rest(body, receive, limit)
        if refusal is None and len(body.content) < (length or 0):
            return BodyCutShort
        return refusal

    async def _receive_rest(self, body: Body, receive: Receive, limit: int) -> type[Refusal] | None:
        with suppress(TimeoutError):
            async with self._memory.evictable(body):
                while True:
                    refusal = self._take(body, message := await receive(), limit)
                    if refusal or not message.get("more_body"):
                        return refusal
        return BodyMemoryFull

    def _take(self, body: Body, message: Message, limit: int) -> type[Refusal] | None:
        if message["type"] == "http.disconnect":
            return BodyCutShort
        piece = message.get("body", b"")
        if len(body.content) + len(piece) > limit:
            return BodyTooLarge
        return None if self._memory.add(body, piece) else BodyMemoryFull


def _announced(scope: Scope) -> tuple[int | None, bytes | None, bool, bytes | None]:
    """What the headers say of the request as a whole.

    The length of the body: 0 if there is none, and None if it comes in chunks. What the client
    expects first. Whether a proxy forwarded it. The id that it brings.
    """
    length: int | None = 0
    expects, is_forwarded, id = None, False, None
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            length = None
        elif name == b"content-length":
            length = int(value[:_DIGITS]) if value.isdigit() else None
        elif name == b"expect":
            expects = value.lower()
        elif name in _FORWARDED:
            is_forwarded = True
        elif name == b"x-request-id":
            id = value
    return length, expects, is_forwarded, id


def _repair(scope: Scope) -> None:
    """Turn what Falcon would misread into what was meant."""
    # It decodes the query as UTF-8, and raises outside its own error handling.
    query: bytes = scope["query_string"]
    if not query.isascii():
        scope["query_string"] = query.decode(errors="replace").encode()
    # It keeps this name for itself, and methods are case-sensitive: in lower case nobody knows it.
    if scope["method"] == "WEBSOCKET":
        scope["method"] = "websocket"
    # `GET http://any.host/articles` asks for /articles (RFC 9112, section 3.2.2).
    if "://" in scope["path"] and not scope["path"].startswith("/"):
        scope["path"] = "/" + scope["path"].partition("://")[2].partition("/")[2]
        scope["raw_path"] = b"/" + scope["raw_path"].partition(b"://")[2].partition(b"/")[2]


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that answers the whole body at once, and after it whatever comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
