"""A connection of gunicorn's `asgi` worker, with the deadlines that it lacks."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from forum.answering import AnsweringProtocol
from forum.arrival import ARRIVED

HEAD_SECONDS = 10
"""From the beginning of a connection to the end of its first head; afterwards gunicorn's
`keepalive` counts.
"""

BODY_SECONDS = 30
"""From the end of a head to the end of its body."""

ANSWER_SECONDS = 30
"""For which a client may take nothing of an answer that waits for it."""

LINGER_SECONDS = 2
"""For which what a client still sends is read and dropped after an early answer, so that the answer
is not lost.
"""


class Connection(AnsweringProtocol):
    """One connection; at any moment it waits for a whole request, or works on one, or is closing.

    While it waits it has a deadline, and may be closed to make room for others.
    """

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        self._timer: asyncio.TimerHandle | None = None
        self._arrived = 0.0
        self._has_body_deadline = False
        self._is_half_closed = False
        self._is_cut = False
        self._is_lingering = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._task.add_done_callback(self._forget)  # type: ignore[attr-defined]  # just made
        self._set_timer(HEAD_SECONDS, self._keepalive_timeout)
        self.worker.connections[self] = 1
        self.worker.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self.worker.connections.pop(self, None)
        self._cancel_timer()
        super().connection_lost(exc)

    def is_waiting(self) -> bool:
        """Whether it carries no whole request at the moment."""
        return self._current_request is None or not self._has_read_all() or self._closed

    def eof_received(self) -> bool:
        """A client that has sent all may still listen: what it has sent whole is answered."""
        self._is_half_closed = True
        if self._is_lingering or self._is_ssl or self._current_request is None:
            return False
        if not self._has_read_all():
            self._cut_body()
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._set_timer(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._closed:  # The end of one that is closing stays bounded.
            self._cancel_timer()

    def give_way(self) -> None:
        """Close at once, while it waits."""
        self.transport.abort()
        self._request_ready.set()

    def _feed_callback_parser(self, data: bytes) -> bool:
        parser: Any = self._callback_parser
        self._arrived = time.monotonic()
        try:
            is_sound = bool(super()._feed_callback_parser(data))
        except ValueError:  # A number with too many digits for Python.
            return self._refuse(400, "Bad Request")
        if not is_sound:
            return False
        if parser.is_chunked and (b"transfer-encoding", b"chunked") not in parser.headers:
            return self._refuse(501, "Only chunked is supported")
        if parser.is_complete:
            if self._timer is not None:
                self._cancel_timer()
        elif self._current_request and not self._has_body_deadline:
            self._set_timer(BODY_SECONDS, self._cut_body)
            self._has_body_deadline = True
        return True

    def _refuse(self, status: int, sentence: str) -> bool:
        self._send_error_response(status, sentence)
        self._close_transport()
        return False

    def _build_http_scope(self, request: Any, sockname: Any, peername: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._build_http_scope(request, sockname, peername)
        if self._has_read_all():
            scope[ARRIVED] = self._arrived
        return scope

    def _arm_keepalive_timer(self) -> None:
        if self._is_half_closed:
            self._keepalive_timeout()
        else:
            super()._arm_keepalive_timer()

    def _is_websocket_upgrade(self, request: object) -> bool:
        return False

    def _will_close(self, request: Any, response_requires_close: object) -> bool:
        if (request.content_length or request.chunked) and not self._has_taken_body():
            return True
        return bool(super()._will_close(request, response_requires_close))

    def _close_transport(self) -> None:
        if self._closed:
            return
        if self._current_request and not (self._has_read_all() or self._is_cut or self._is_ssl):
            self._linger()
        else:
            super()._close_transport()
            self._set_timer(ANSWER_SECONDS, self.transport.abort)

    def _has_read_all(self) -> bool:
        return self._callback_parser is None or bool(self._callback_parser.is_complete)

    def _has_taken_body(self) -> bool:
        receiver: Any = self._body_receiver
        return self._has_read_all() and not receiver.buffered

    def _linger(self) -> None:
        # To close with bytes unread resets the connection, and the client may lose the answer.
        self._closed = self._is_lingering = True
        receiver: Any = self._body_receiver
        receiver.signal_disconnect()
        self._callback_parser = None
        if self.transport.is_closing():
            return
        self._resume_reading()
        self.transport.write_eof()
        self._set_timer(LINGER_SECONDS, self.transport.abort)

    def _cut_body(self) -> None:
        self._is_cut = True
        receiver: Any = self._body_receiver
        receiver.signal_disconnect()
        self._set_timer(LINGER_SECONDS, self.transport.abort)

    def _set_timer(self, seconds: float, callback: Callable[[], object]) -> None:
        self._cancel_timer()
        self._timer = self.worker.loop.call_later(seconds, callback)

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
            self._has_body_deadline = False

    def _forget(self, task: object) -> None:
        # Each of them leads back here: the connection would outlive its end, with what it has read.
        self._task = self._body_receiver = self._callback_parser = self._current_request = None
