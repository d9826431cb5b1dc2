"""What the load calls a fault must be called one: each is sent by hand to the client that judges
it.
"""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.client import UNAVAILABLE_BODY, Client, Outcome, Reply

JSON = "application/json"
HERE = {"here": True}


def response(status: str, body: bytes, *headers: str, media_type: str = JSON) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", *headers]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


ANSWERED = response("200 OK", as_json(HERE))
BUSY = as_json(UNAVAILABLE_BODY)
UNAVAILABLE = response("503 Service Unavailable", BUSY, "Retry-After: 1")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def replies(listener: socket.socket, client: Client, *answers: bytes) -> list[Reply]:
    """What the client makes of these answers on one connection, which is closed after them."""
    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(serve, listener, answers)
        found = [client.call("GET", "/", None, HERE.__eq__) for _ in answers]
        serving.result()
    client.close()
    return found


def serve(listener: socket.socket, answers: tuple[bytes, ...]) -> None:
    connection, _ = listener.accept()
    with connection:
        for answer in answers:
            connection.recv(65536)
            connection.sendall(answer)


def new_client(listener: socket.socket, *, keeps_alive: bool = True) -> Client:
    return Client(listener.getsockname()[1], keeps_alive=keeps_alive)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ANSWERED, Outcome.ANSWERED),
        (UNAVAILABLE, Outcome.UNAVAILABLE),
        (response("503 Service Unavailable", BUSY), Outcome.WRONG),
        (response("503 Busy", as_json({"error": "Busy"}), "Retry-After: 1"), Outcome.WRONG),
        (response("500 Oops", b"Oops", media_type="text/plain"), Outcome.WRONG),
        (response("500 Oops", BUSY, "Retry-After: 1"), Outcome.WRONG),
        (response("200 OK", as_json(HERE), media_type="text/plain"), Outcome.WRONG),
        (response("200 OK", as_json({"there": True})), Outcome.WRONG),
        (response("200 OK", as_json([HERE])), Outcome.WRONG),
        (response("200 OK", b'{"here": tr'), Outcome.WRONG),
        (response("201 Created", as_json(HERE)), Outcome.WRONG),
        (b"Hello\r\n\r\n", Outcome.WRONG),
        (ANSWERED[:-1], Outcome.TRUNCATED),
        (b"", Outcome.DROPPED),
    ],
)
def test_each_answer_is_called_by_its_name(
    listener: socket.socket, answer: bytes, outcome: Outcome
) -> None:
    [reply] = replies(listener, new_client(listener), answer)
    assert reply.outcome is outcome, reply


def test_a_kept_alive_connection_may_be_closed_between_two_requests(
    listener: socket.socket,
) -> None:
    found = replies(listener, new_client(listener), ANSWERED, b"")
    assert [each.outcome for each in found] == [Outcome.ANSWERED, Outcome.CLOSED]


def test_a_fresh_connection_that_is_reset_was_not_read(listener: socket.socket) -> None:
    client = new_client(listener, keeps_alive=False)
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(client.call, "GET", "/", None, HERE.__eq__)
        connection, _ = listener.accept()
        connection.recv(1, socket.MSG_PEEK)
        connection.close()
    assert calling.result().outcome is Outcome.UNREAD


def test_where_nobody_listens_nobody_is_reached(listener: socket.socket) -> None:
    client = new_client(listener)
    listener.close()
    assert client.call("GET", "/", None, HERE.__eq__).outcome is Outcome.UNREACHABLE
