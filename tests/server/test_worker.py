"""What strangers can do to the process: sockets, memory, and deadlines."""

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from forum import connection
from tests.support.servers import FORUM_SERVE, OWN_GUNICORN, PASSWORD, Server, running
from tests.support.wire import request

HASTE = "connection.HEAD_SECONDS = connection.BODY_SECONDS = connection.ANSWER_SECONDS = 1"
HASTY = ("-c", f"from forum import cli, connection; {HASTE}; cli.main(['serve'])")
"""The service with deadlines that a test can wait for."""

EARLY = (
    "import os, signal; from forum import cli, server;"
    "load = server.Server.load_config;"
    "early = lambda arbiter, worker:"
    " os.kill(os.getpid(), signal.SIGTERM) if worker.age == 2 else 0;"
    "server.Server.load_config = lambda self: (load(self), self.cfg.set('post_fork', early));"
    "cli.main(['serve'])"
)
"""The service whose second worker is told to stop before it has any handler for that."""

UNCOLLECTED = ("-c", "import gc; from forum import cli; gc.disable(); cli.main(['serve'])")
"""The service without its garbage collector: what is in a cycle stays."""

TLS_HELLO = bytes.fromhex("16030100f0010000ec0303") + bytes(100)
REGISTRATION = json.dumps({"username": "alice#1", "password": PASSWORD}).encode()


def registration(name: str) -> bytes:
    body = json.dumps({"username": name, "password": PASSWORD}).encode()
    return request(
        "POST", "/register", f"Content-Length: {len(body)}", "Connection: close", body=body
    )


def connect(server: Server, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection((server.host, server.port), timeout=20)
    connection.sendall(sent)
    return connection


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    answer = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            answer += piece
    return answer


def memory(server: Server) -> int:
    """Bytes that the workers hold together."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in server.workers())
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def is_held(connection: socket.socket) -> bool:
    """Whether the kernel sees both ends of it in use."""
    port, peer = connection.getsockname()[1], connection.getpeername()[1]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    ends = (f":{peer:04X}", f":{port:04X}")
    return any(
        row[1].endswith(ends[0]) and row[2].endswith(ends[1]) and row[3] == "01" for row in rows
    )


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def has_let_go(server: Server) -> bool:
    """Whether the server has closed all of its connections."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    states = {row[3] for row in rows if row[1].endswith(f":{server.port:04X}")}
    return states <= {"0A", "06"}  # It listens, and the kernel remembers.


def unaccepted(server: Server) -> int:
    """Connections that the kernel has for the server, which has not looked at them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(
        int(row[4].partition(":")[2], 16)
        for row in rows
        if row[1].endswith(f":{server.port:04X}") and row[3] == "0A"
    )


def log_of(folder: Path) -> str:
    return (folder / "server.log").read_text()


@pytest.fixture(scope="module", params=[FORUM_SERVE, OWN_GUNICORN], ids=["serve", "gunicorn"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The two ways to start it."""
    started: tuple[str, ...] = request.param
    return started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, command: tuple[str, ...]) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(folder: Path, command: tuple[str, ...]) -> Iterator[Server]:
    with running(folder, command=command) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("hasty"), command=HASTY) as server:
        yield server


def test_the_deadlines_are_those_of_the_contract() -> None:
    assert (connection.HEAD_SECONDS, connection.BODY_SECONDS) == (10, 30)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /articles HTTP/1.1\r\nHost: loc", id="half a head"),
        pytest.param(TLS_HELLO, id="a TLS hello"),
        pytest.param(b"\r\n", id="an empty line"),
    ],
)
def test_a_head_that_does_not_end_ends_the_connection(hasty: Server, sent: bytes) -> None:
    with connect(hasty, sent) as connection:
        assert read_all(connection) == b""


def test_a_head_that_comes_byte_by_byte_has_no_more_time(hasty: Server) -> None:
    sent = 0
    with connect(hasty) as connection, suppress(ConnectionError):
        for byte in request("GET", "/articles", "X: " + "x" * 1000):
            connection.sendall(bytes([byte]))
            sent += 1
            time.sleep(0.05)
    assert sent < 100


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_end_is_incomplete(hasty: Server, framing: str) -> None:
    with connect(hasty, request("POST", "/login", framing)) as connection:
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"error":"Request body is incomplete"}')


def test_a_client_that_takes_no_answer_is_left(hasty: Server) -> None:
    article = {"title": "A title", "text": "x" * 100_000, "access-token": hasty.sign_up()}
    id = hasty.call("POST", "/articles/new", article)[1]["id"]
    with connect(hasty, request("GET", f"/articles/{id}") * 200) as connection:
        await_that(lambda: not is_held(connection), seconds=15)


def test_a_kept_connection_serves_one_request_after_the_other(server: Server) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    local = set()
    for _ in range(3):
        connection.request("POST", "/login", REGISTRATION)
        connection.getresponse().read()
        local.add(connection.sock.getsockname())
    connection.close()
    assert len(local) == 1


def test_requests_sent_in_one_go_are_answered_in_their_order(server: Server) -> None:
    asked = request("GET", "/articles/7") + request("GET", "/users/8", "Connection: close")
    with connect(server, asked) as connection:
        answer = read_all(connection)
    assert answer.index(b"Article with id=7") < answer.index(b"User with id=8")


@pytest.mark.parametrize("close", [["Connection: close"], []], ids=["close", "keep-alive"])
def test_a_client_that_has_said_all_still_gets_its_answer(server: Server, close: list[str]) -> None:
    answers = []
    for _ in range(10):
        with connect(server, request("GET", "/articles", *close)) as connection:
            connection.shutdown(socket.SHUT_WR)
            answers.append(read_all(connection).partition(b"\r\n")[0])
    assert answers == [b"HTTP/1.1 200 OK"] * 10


def test_a_write_of_a_client_that_has_said_all_is_answered(server: Server) -> None:
    with connect(server, registration("half#closed")) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert b'"username":"half#closed"' in read_all(connection)


def test_half_a_body_and_no_more_is_incomplete(server: Server) -> None:
    with connect(server, registration("half#sent")[:-5]) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert b"Request body is incomplete" in read_all(connection)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("GET", "/articles", f"Content-Length: {'1' * 5000}"), 400),
        (request("POST", "/login", f"Content-Length: {'0' * 5000}"), 400),
        (request("POST", "/login", "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 501),
        (request("POST", "/login", "Transfer-Encoding: x", body=b"0\r\n\r\n"), 501),
        (request("GET", "http://any.example/articles", "Connection: close"), 200),
        (request("WEBSOCKET", "/articles", "Connection: close"), 405),
        (request("GET", "/articles%2f1", "Connection: close"), 404),
        (request("POST", "/login", "Expect: foo", "Content-Length: 5", "Connection: close"), 417),
        (request("GET", "/articles", "Upgrade: websocket", "Connection: Upgrade, close"), 200),
        (request("GET", "/articles", "Upgrade: h2c", "Connection: Upgrade, close"), 200),
        (b"GET /articles HTTP/1.1\nHost: x\n\n", 400),
    ],
)
def test_odd_requests_are_answered(server: Server, folder: Path, sent: bytes, status: int) -> None:
    with connect(server, sent) as connection:
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert "Traceback" not in log_of(folder)


@pytest.mark.parametrize(
    ("path", "status", "closes"),
    [("/nope", 404, True), ("/register", 413, True), ("/articles", 405, True)],
)
def test_an_early_answer_reaches_a_client_that_sends_on(
    server: Server, path: str, status: int, closes: bool
) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    connection.request("POST", path, b" " * 4_000_000)
    response = connection.getresponse()
    assert (response.status, response.will_close) == (status, closes)
    connection.close()


def test_bodies_that_do_not_end_take_little_memory_and_keep_nobody_out(server: Server) -> None:
    token = server.sign_up("memory#1")
    paths = ["/articles/new", "/login", "/nope"]
    before = memory(server)
    with ExitStack() as stack:
        for number in range(150):
            head = request("POST", paths[number % 3], "Content-Length: 1260000")
            connection = stack.enter_context(connect(server, head))
            with suppress(ConnectionError):
                connection.sendall(b" " * 1_259_000)
        article = {"title": "A title", "text": "A text", "access-token": token}
        statuses = {server.call("POST", "/articles/new", article)[0] for _ in range(20)}
        statuses |= {server.call("GET", "/articles")[0] for _ in range(20)}
        grown = memory(server) - before
    assert statuses == {200}
    assert grown <= 100 * 10**6


@pytest.mark.parametrize("path", ["/articles/new", "/nope"])
def test_bodies_that_are_cut_leave_nothing(tmp_path: Path, path: str) -> None:
    def cut(server: Server, rounds: int) -> None:
        for _ in range(rounds):
            with ExitStack() as stack:
                for _ in range(50):
                    head = request("POST", path, "Content-Length: 1260000")
                    connection = stack.enter_context(connect(server, head + b" " * 60_000))
                    with suppress(ConnectionError):
                        connection.sendall(b" " * 200_000)
        await_that(lambda: has_let_go(server), seconds=20)

    # One worker: a second one that comes later would be taken for a leak.
    with running(tmp_path, command=UNCOLLECTED, WORKERS="1") as server:
        cut(server, 3)  # What a process keeps for itself, it has then.
        before = memory(server)
        cut(server, 8)
        assert memory(server) - before <= 30 * 10**6


def test_silent_connections_beyond_the_descriptors_keep_nobody_out(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    with running(tmp_path, command=command, descriptors=256) as server, ExitStack() as stack:
        for _ in range(600):
            stack.enter_context(connect(server))
        statuses = [server.call("GET", "/articles")[0] for _ in range(15)]
    assert statuses == [200] * 15
    assert 1 <= log_of(tmp_path).count("connections: those without a request are closed") <= 2


def test_a_burst_of_connections_waits_for_workers_that_are_busy(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    asked = request("GET", "/articles", "Connection: close")
    with running(tmp_path, command=command, WORKERS="2") as server, ExitStack() as stack:
        await_that(lambda: len(server.workers()) == 2, seconds=10)
        for worker in server.workers():
            os.kill(worker, signal.SIGSTOP)
        await_that(lambda: all(map(is_stopped, server.workers())), seconds=10)
        burst = [stack.enter_context(connect(server, asked)) for _ in range(300)]
        assert unaccepted(server) == 300
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        answers = [read_all(connection)[:12] for connection in burst]
    assert answers == [b"HTTP/1.1 200"] * 300


WITHOUT_REQUEST = [
    b"",
    b"GET /articles HTTP/1.1\r\n",
    registration("never#1")[:-5],
    request("GET", "/articles"),
]
"""What was sent on connections that carry no whole request: the last one is idle again."""


def test_it_stops_in_spite_of_connections_without_a_request(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    with running(tmp_path, command=command) as server, ExitStack() as stack:
        for sent in WITHOUT_REQUEST * 3:
            stack.enter_context(connect(server, sent))
        assert server.stop(seconds=10) == 0


def test_it_is_renewed_in_spite_of_connections_without_a_request(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    with running(tmp_path, command=command) as server, ExitStack() as stack:
        for sent in WITHOUT_REQUEST * 3:
            stack.enter_context(connect(server, sent))
        old = set(server.workers())
        server.process.send_signal(signal.SIGHUP)
        await_that(lambda: not old & set(server.workers()), seconds=10)
        assert server.call("GET", "/articles")[0] == 200


def test_a_worker_that_is_stopped_before_it_serves_ends(tmp_path: Path) -> None:
    with running(tmp_path, command=("-c", EARLY)) as server:
        # The third takes the place of the second, which does not have to be waited for.
        await_that(lambda: len(server.workers()) == 2, seconds=10)
        await_that(lambda: "Worker exiting" in log_of(tmp_path), seconds=10)
        assert server.stop() == 0


def await_that(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
