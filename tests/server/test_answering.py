"""How the server sends what an application answers, also one that is unlike ours."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.odd_answers import BODY, WAITS_FOR
from tests.support.servers import OWN_GUNICORN, Server, running
from tests.support.wire import request

ODD = ("-m", "gunicorn", "-k", "forum.server.Worker", "tests.support.odd_answers:app")


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pipe") / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.fixture(scope="module")
def server(folder: Path, pipe: Path) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WAITS_FOR, str(pipe))
        with running(folder, command=ODD) as server:
            yield server


def get(path: str, *headers: str) -> bytes:
    return request("GET", path, *headers)


def last(path: str) -> bytes:
    """A request after which the server closes."""
    return get(path, "Connection: close")


def parts(answers: bytes) -> list[bytes]:
    """The beginning of each answer's head, and what follows the head of the last."""
    heads = [b"HTTP/1.1" + each[:4] for each in answers.split(b"HTTP/1.1")[1:]]
    return [*heads, answers.rpartition(b"\r\n\r\n")[2]]


@pytest.mark.parametrize("path", ["/value", "/return", "/name", "/raises", "/silent"])
def test_what_is_no_answer_is_a_500_and_the_end(server: Server, path: str) -> None:
    answers = server.talk(get("/") + get(path) + get("/"))
    assert parts(answers) == [b"HTTP/1.1 200", b"HTTP/1.1 500", b"Internal Server Error"]
    assert b"odd" not in answers


def test_what_is_no_answer_is_logged(server: Server, folder: Path) -> None:
    server.talk(get("/value"))
    assert "x-more: 2" in (folder / "server.log").read_text()


def test_an_answer_without_a_length_ends_with_its_connection(server: Server) -> None:
    answers = server.talk(get("/endless") + get("/"))
    assert parts(answers) == [b"HTTP/1.1 200", BODY]
    assert b"\r\nConnection: close\r\n" in answers


@pytest.mark.parametrize("path", ["/half", "/breaks"])
def test_half_an_answer_is_the_end(server: Server, path: str) -> None:
    answers = server.talk(get("/") + get(path) + get("/"))
    assert parts(answers) == [b"HTTP/1.1 200", b"HTTP/1.1 200", BODY[:6]]


@pytest.mark.parametrize(("path", "method"), [("/", "HEAD"), ("/known", "GET")])
def test_what_has_no_body_is_sent_without_one(server: Server, path: str, method: str) -> None:
    answers = server.talk(request(method, path) + last("/"))
    assert answers.count(b"HTTP/1.1") == 2
    assert answers.count(BODY) == 1


def test_who_sends_many_requests_at_once_lets_others_in_between(server: Server, pipe: Path) -> None:
    address = (server.host, server.port)
    with socket.create_connection(address) as many, socket.create_connection(address) as one:
        many.sendall(get("/waits") + get("/noted?many") * 300 + last("/"))
        with pipe.open("wb"):  # The worker waits by now, and as long as this is open.
            one.sendall(last("/noted?one"))
        for each in (one, many):
            while each.recv(65536):
                pass
    order = parts(server.talk(last("/order")))[-1].split(b",")
    assert len(order) == 301
    assert order.index(b"one") < 100


def test_the_log_of_requests_that_gunicorn_has_is_written(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    command = (*OWN_GUNICORN[:-1], "--access-logfile", str(log), OWN_GUNICORN[-1])
    with running(tmp_path, command=command) as server:
        assert server.call("GET", "/articles?page=5") == (200, {"articles": [], "next": False})
        server.stop()
    assert '"GET /articles?page=5 HTTP/1.1" 200' in log.read_text()
