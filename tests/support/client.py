"""A client that names what became of each request: nothing is swallowed, nothing is sent again."""

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PATIENCE = 10
"""Seconds for which a client waits for anything, unless told otherwise."""

UNAVAILABLE_BODY = {"error": "Service is unavailable, try again later"}

_TCP_CLOSE_WAIT = 8
"""The state of a connection that the other side closed after it had read everything (tcp_states.h).
"""


class Outcome(StrEnum):
    """What became of a request."""

    ANSWERED = "answered as documented"
    UNAVAILABLE = "503 as documented"
    UNREACHABLE = "nobody listens"
    CLOSED = "a kept-alive connection closed before any byte of the answer"
    UNREAD = "a fresh connection closed before the request was read"
    DROPPED = "a fresh connection closed after the request was read"
    TRUNCATED = "an answer cut short"
    SILENT = "no answer in time"
    WRONG = "anything else"


@dataclass(frozen=True)
class Reply:
    """The outcome of a request, and the JSON of a documented answer or what came instead."""

    outcome: Outcome
    answer: dict[str, Any] = field(default_factory=dict)
    detail: str = ""


class Client:
    """One user of HTTP, with one connection at a time: kept alive, or fresh for each request."""

    def __init__(self, port: int, *, keeps_alive: bool, patience: float = PATIENCE) -> None:
        self._port = port
        self._patience = patience
        self._keeps_alive = keeps_alive
        self._socket: socket.socket | None = None

    def call(
        self,
        method: str,
        path: str,
        body: object,
        is_documented: Callable[[dict[str, Any]], bool],
    ) -> Reply:
        """The one reply to one request; `is_documented` judges the JSON of a 200."""
        is_fresh = self._socket is None
        try:
            connection = self._socket = self._socket or self._connect()
        except OSError as error:
            return Reply(Outcome.UNREACHABLE, detail=repr(error))
        try:
            connection.sendall(self._request(method, path, body))
            begun = connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return self._give_up(Outcome.SILENT)
        except OSError as error:
            return self._give_up(Outcome.UNREAD if is_fresh else Outcome.CLOSED, repr(error))
        if not begun:
            return self._give_up(_closed(connection) if is_fresh else Outcome.CLOSED)
        return self._read(connection, method, is_documented)

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._socket:
            self._socket.close()
        self._socket = None

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=self._patience)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _request(self, method: str, path: str, body: object) -> bytes:
        """The whole request at once: between two pieces a client could be taken for idle."""
        raw = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        if raw:
            lines += ["Content-Type: application/json", f"Content-Length: {len(raw)}"]
        if not self._keeps_alive:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode() + raw

    def _read(
        self,
        connection: socket.socket,
        method: str,
        is_documented: Callable[[dict[str, Any]], bool],
    ) -> Reply:
        response = http.client.HTTPResponse(connection, method=method)
        try:
            response.begin()
            raw = response.read()
        except (OSError, http.client.IncompleteRead) as error:
            return self._give_up(Outcome.TRUNCATED, repr(error))
        except http.client.HTTPException as error:
            return self._give_up(Outcome.WRONG, repr(error))
        if response.will_close or not self._keeps_alive:
            self.close()
        return _judge(response, raw, is_documented)

    def _give_up(self, outcome: Outcome, detail: str = "") -> Reply:
        self.close()
        return Reply(outcome, detail=detail)


def _closed(connection: socket.socket) -> Outcome:
    """Whether the server had read the request: if not, the kernel has answered it with a reset."""
    state = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return Outcome.DROPPED if state == _TCP_CLOSE_WAIT else Outcome.UNREAD


def _judge(
    response: http.client.HTTPResponse, raw: bytes, is_documented: Callable[[dict[str, Any]], bool]
) -> Reply:
    answer: Any = None
    with suppress(ValueError):
        answer = json.loads(raw)
    is_json = isinstance(answer, dict) and response.headers["Content-Type"] == "application/json"
    if is_json and response.status == 200 and is_documented(answer):
        return Reply(Outcome.ANSWERED, answer)
    is_polite = (response.headers["Retry-After"] or "").isdigit()
    if is_json and is_polite and (response.status, answer) == (503, UNAVAILABLE_BODY):
        return Reply(Outcome.UNAVAILABLE)
    detail = f"{response.status} {response.headers.items()} {raw[:500]!r}"
    return Reply(Outcome.WRONG, detail=detail)
