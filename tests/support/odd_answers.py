"""An application that answers as ours never does."""

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

BODY = b"twelve bytes"
WAITS_FOR = "ODD_ANSWERS_WAIT_FOR"
"""The variable with the path of a pipe: one request holds up the worker until it is written."""

_LENGTH = (b"content-length", b"%d" % len(BODY))
_HEADERS = {
    "/value": [_LENGTH, (b"x-odd", b"1\r\nx-more: 2")],
    "/return": [_LENGTH, (b"x-odd", b"1\rx-more: 2")],
    "/name": [_LENGTH, (b"x-odd: 1\nx-more", b"2")],
    "/endless": [(b"x-odd", b"content-length: 12")],
}
_order: list[bytes] = []

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer as the path says."""
    if scope["type"] == "lifespan":
        for message in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
            await receive()
            await send({"type": message})
        return
    path = scope["path"]
    if path == "/raises":
        raise RuntimeError
    if path == "/silent":
        return
    if path == "/waits":
        Path(os.environ[WAITS_FOR]).read_bytes()  # noqa: ASYNC240  # that is the point
    if path == "/noted":
        _order.append(scope["query_string"])
    body = b",".join(_order) if path == "/order" else BODY
    headers = _HEADERS.get(path, [(b"content-length", b"%d" % len(body))])
    status = 304 if path == "/known" else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body[:6], "more_body": True})
    if path == "/breaks":
        raise RuntimeError
    if path != "/half":
        await send({"type": "http.response.body", "body": body[6:]})
