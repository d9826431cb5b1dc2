"""Requests as the bytes that go over the wire, so that wrk and Python send the very same."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

import click

_PATIENCE = 30
"""Seconds for which an answer is awaited."""


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    reason: str
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def size(self) -> int:
        """The bytes of all of it on the wire."""
        lines = [f"HTTP/1.1 {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return len("\r\n".join([*lines, "", ""])) + len(self.body)


def request(method: str, path: str, body: object = None, **headers: str) -> bytes:
    """A whole request, with a body of JSON where one is given; `If_None_Match` is a header."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def ask(port: int, message: bytes) -> Answer:
    """The answer to a request. Raises ClickException where there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
            connection.sendall(message)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return Answer(response.status, response.reason, response.headers, response.read())
    except (OSError, http.client.HTTPException) as error:
        raise click.ClickException(f"{_line(message)} has no answer: {error}") from error


def tell(port: int, message: bytes) -> dict[str, Any]:
    """The JSON of a 200. Raises ClickException for any other answer."""
    answer = ask(port, message)
    if answer.status != 200:
        said = answer.body.decode()
        raise click.ClickException(f"{_line(message)} is answered {answer.status}: {said}")
    content: dict[str, Any] = json.loads(answer.body)
    return content


def _line(message: bytes) -> str:
    return message.partition(b" HTTP")[0].decode()
