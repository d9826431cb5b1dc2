"""A connection of gunicorn's `asgi` worker that answers in fewer steps."""

import asyncio
from collections.abc import Mapping
from typing import Any

from gunicorn.asgi.protocol import (
    _CACHED_SERVER_HEADER,
    ASGIProtocol,
    _get_cached_date_header,
    _get_cached_status_line,
)


class AnsweringProtocol(ASGIProtocol):  # type: ignore[misc]
    """gunicorn's own, for an application that is done when it has answered.

    That needs no task for each request, nor half of what gunicorn asks of each message: an answer
    from memory takes a sixth less of the processor. One without a length ends with its
    connection. Where gunicorn is to log requests, or an operator's configuration has hooks for
    them, all goes gunicorn's way.
    """

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        hooks = self._pre_request or self._post_request
        self._is_watched = bool(hooks or self.log.access_log_enabled)
        # Of the answer that is being sent.
        self._has_begun = False
        self._has_body = False
        self._is_last = False
        self._is_complete = False

    async def _serve_http_request(self, request: Any, sockname: Any, peername: Any) -> bool:
        if self._is_watched:
            return bool(await super()._serve_http_request(request, sockname, peername))
        self._has_begun = self._is_complete = False
        scope = self._build_http_scope(request, sockname, peername)
        try:
            await self.app(scope, self._body_receiver.receive, self._send)
        except Exception:
            self.log.exception("Error in ASGI application")
        if not self._has_begun:
            self._send_error_response(500, "Internal Server Error")
        if self._http1_buffered():
            await asyncio.sleep(0)  # Who sends many requests at once lets others in between.
        return self._is_complete and not self._is_last

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._closed:
            return
        if message["type"] == "http.response.start":
            self._begin(message["status"], message["headers"])
            return
        self._send_body(message.get("body", b"") if self._has_body else b"")
        if self._flow_control.write_paused:
            await self._flow_control.drain()
        self._is_complete = not message.get("more_body")

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        fields, number = b"".join([b"%b: %b\r\n" % each for each in headers]), len(headers)
        if fields.count(b"\r") != number or fields.count(b"\n") != number:
            raise ValueError(headers)  # One would begin another (RFC 9110, 5.5).
        request = self._current_request
        self._has_body = request.method != "HEAD" and status not in {204, 304}
        has_no_end = self._has_body and b"content-length" not in dict(headers)
        self._is_last = self._will_close(request, has_no_end)
        self._response_buffer = b"".join(
            (
                _get_cached_status_line(request.version, status),
                fields,
                _CACHED_SERVER_HEADER,
                _get_cached_date_header(),
                b"Connection: close\r\n\r\n" if self._is_last else b"\r\n",
            )
        )
        self._body_receiver.expect_continue = False  # It would come after the answer.
        self._has_begun = True
