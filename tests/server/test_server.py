import http.client
import itertools
import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.support.servers import PASSWORD, Server, environment, run, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


def register(name: str, *headers: bytes, cut: int | None = None) -> bytes:
    """A registration as it goes over the wire; LENGTH in a header is that of the whole body."""
    body = json.dumps({"username": name, "password": PASSWORD}).encode()
    head = [b"POST /register HTTP/1.1", b"Host: localhost", b"Connection: close", *headers]
    lines = b"\r\n".join(head).replace(b"LENGTH", b"%d" % len(body))
    return lines + b"\r\n\r\n" + body[:cut]


def is_free(server: Server, name: str) -> bool:
    """Whether nobody has registered the name."""
    return server.call("POST", "/register", {"username": name, "password": PASSWORD})[0] == 200


def test_every_route_answers_over_a_socket(server: Server) -> None:
    token = {"access-token": server.sign_up("routes#1")}
    article = {"title": "A title", "text": "A text", **token}
    id = server.call("POST", "/articles/new", article)[1]["id"]
    user_id = server.call("POST", "/verify-token", token)[1]["id"]
    answers = [
        server.call("GET", "/articles"),
        server.call("GET", f"/articles/{id}"),
        server.call("PUT", f"/articles/{id}/edit", article),
        server.call("GET", f"/users/{user_id}"),
        server.call("GET", f"/users/{user_id}/articles"),
        server.call("DELETE", f"/articles/{id}/delete", token),
        server.call("GET", "/sessions", token),
        server.call("POST", "/logout", token),
    ]
    assert [status for status, _ in answers] == [200] * 8


def test_a_client_that_asks_first_is_refused_a_too_long_body(server: Server) -> None:
    request = register("first#1", b"Content-Length: 99999999", b"Expect: 100-continue", cut=0)
    answer = server.talk(request)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_asks_first_is_let_in(server: Server) -> None:
    request = register("first#2", b"Content-Length: LENGTH", b"Expect: 100-continue")
    assert b"HTTP/1.1 200 OK" in server.talk(request)


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_body_that_ends_early_registers_nobody(server: Server, cut: int) -> None:
    name = f"early#{cut}"
    server.talk(register(name, b"Content-Length: LENGTH", cut=cut), half_close=True)
    assert is_free(server, name)


def test_a_body_in_chunks_is_read(server: Server) -> None:
    body = json.dumps({"username": "chunks#1", "password": PASSWORD}).encode()
    head = b"POST /register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    request = head + b"Connection: close\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert server.talk(request).startswith(b"HTTP/1.1 200 ")


def test_a_body_in_chunks_without_its_end_registers_nobody(server: Server) -> None:
    body = json.dumps({"username": "chunks#2", "password": PASSWORD}).encode()
    head = b"POST /register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.talk(head + b"%x\r\n%s\r\n" % (len(body), body), half_close=True)
    assert is_free(server, "chunks#2")


def test_sigterm_ends_it_with_success(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.stop() == 0


def test_users_and_tokens_outlive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        token = server.sign_up()
        server.stop()
    with running(tmp_path) as server:
        answer = server.call("POST", "/verify-token", {"access-token": token})
    assert answer == (200, {"id": 1, "username": "alice#1"})


def test_a_session_that_one_process_ends_is_refused_by_all(tmp_path: Path) -> None:
    with running(tmp_path, WORKERS="3") as server:
        token = {"access-token": server.sign_up()}
        server.call("POST", "/logout", token)
        answers = {server.call("POST", "/verify-token", token)[0] for _ in range(12)}
    assert answers == {401}


def test_failures_are_counted_over_all_processes(tmp_path: Path) -> None:
    with running(tmp_path, WORKERS="3", LOGIN_FAILURES="5") as server:
        body = {"username": "alice#1", "password": "Wrong#123"}
        answers = [server.call("POST", "/login", body)[0] for _ in range(8)]
    assert answers == [401] * 5 + [429] * 3


def test_what_comes_at_once_is_counted_exactly(tmp_path: Path) -> None:
    with running(tmp_path, WORKERS="3", POSTS_MINUTE="20") as server:
        article = {"title": "A title", "text": "A text", "access-token": server.sign_up()}
        login = {"username": "alice#1", "password": "Wrong#123"}
        with ThreadPoolExecutor(40) as pool:
            posts = pool.map(lambda _: server.call("POST", "/articles/new", article)[0], range(40))
            assert sorted(posts) == [200] * 20 + [429] * 20
            logins = pool.map(lambda _: server.call("POST", "/login", login)[0], range(40))
            assert sorted(logins) == [401] * 10 + [429] * 30


@pytest.fixture
def nodes(tmp_path: Path, new_postgres: Callable[[], str]) -> Iterator[list[Server]]:
    """Two machines, as it were: a folder each, and one database."""
    settings = {"DATABASE_URL": new_postgres(), "SECRET_KEY": SECRET, "LOGIN_FAILURES": "5"}
    folders = [tmp_path / "a", tmp_path / "b"]
    with ExitStack() as stack:
        for folder in folders:
            folder.mkdir()
        yield [stack.enter_context(running(folder, **settings)) for folder in folders]


def test_a_session_that_one_node_ends_is_refused_by_the_other(nodes: list[Server]) -> None:
    first, second = nodes
    token = {"access-token": first.sign_up()}
    before = second.call("POST", "/verify-token", token)[0]
    first.call("POST", "/logout", token)
    assert (before, second.call("POST", "/verify-token", token)[0]) == (200, 401)


def test_failures_are_counted_over_all_nodes(nodes: list[Server]) -> None:
    body = {"username": "alice#1", "password": "Wrong#123"}
    answers = [nodes[each % 2].call("POST", "/login", body)[0] for each in range(8)]
    assert answers == [401] * 5 + [429] * 3


def test_the_data_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    with running(tmp_path):
        modes = {each.name: each.stat().st_mode & 0o777 for each in (tmp_path / "data").iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"forum.db", "secret.key"} <= set(modes)


def test_memory_serves_and_leaves_no_file(tmp_path: Path) -> None:
    with running(tmp_path, DATABASE_URL="memory://") as server:
        server.sign_up()
    assert not (tmp_path / "data").exists()


def has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize("host", ["localhost", pytest.param("::1", marks=NEEDS_IPV6)])
def test_it_listens_on_names_and_ipv6_too(tmp_path: Path, host: str) -> None:
    with running(tmp_path, host) as server:
        assert server.call("GET", "/articles")[0] == 200


def test_a_taken_port_is_refused_in_one_line(tmp_path: Path, server: Server) -> None:
    result = run(tmp_path, "serve", BIND=f"127.0.0.1:{server.port}")
    assert result.returncode == 1
    assert "FORUM_BIND" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(("settings", "mode"), [({}, "660"), ({"SOCKET_MODE": "600"}, "600")])
def test_the_line_to_try_on_a_socket_works_and_strangers_keep_out(
    tmp_path: Path, settings: dict[str, str], mode: str
) -> None:
    path = tmp_path / "forum.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "forum", "serve"],
        cwd=tmp_path,
        env=environment(BIND=f"unix:{path}", **settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        [line] = itertools.islice((each for each in process.stdout if "Try: " in each), 1)
        command = line.partition("Try: ")[2]
        answer = subprocess.check_output([*shlex.split(command), "--silent"], text=True)
        assert f"{path.stat().st_mode & 0o777:o}" == mode
    finally:
        process.terminate()
        process.communicate()
    assert json.loads(answer)["docs"] == "/docs"


def test_a_secret_that_is_rotated_logs_nobody_out(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        old = server.sign_up()
        run(tmp_path, "secret", "rotate")
        server.stop()
    with running(tmp_path) as server:
        credentials = {"username": "alice#1", "password": PASSWORD}
        new = server.call("POST", "/login", credentials)[1]["access-token"]
        tokens = [{"access-token": each} for each in (old, new)]
        answers = [server.call("POST", "/verify-token", each)[0] for each in tokens]
    assert answers == [200, 200]


def test_dropping_a_secret_logs_out_everybody_under_it(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        old = {"access-token": server.sign_up()}
        server.stop()
    id = run(tmp_path, "secret", "list").stdout.strip()
    run(tmp_path, "secret", "rotate")
    run(tmp_path, "secret", "drop", id)
    with running(tmp_path) as server:
        assert server.call("POST", "/verify-token", old)[0] == 401


def test_the_lines_of_the_readme_work_as_printed(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    [script] = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    script = script.replace("\ncurl ", "\necho; curl --fail-with-body ")
    with running(tmp_path) as server:
        result = subprocess.run(
            ["bash", "-e", "-c", script.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")],
            capture_output=True,
            text=True,
            check=False,
        )
    answers = result.stdout.splitlines()[1:]
    assert (result.returncode, len(answers)) == (0, script.count("echo;")), result.stdout
    assert all(line.startswith('{"') for line in answers), answers


def test_no_process_answers_what_was_there_before_an_answered_write(tmp_path: Path) -> None:
    with running(tmp_path, WORKERS="3", THROTTLE="off") as server, ExitStack() as stack:
        readers = [
            stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", server.port)))
            for _ in range(12)
        ]
        token = server.sign_up()
        article = {"title": "0", "text": "A text", "access-token": token}
        server.call("POST", "/articles/new", article)
        for number in range(200):
            server.call("PUT", "/articles/1/edit", article | {"title": str(number)})
            for reader in readers:
                for path in ("/articles/1", "/articles"):
                    reader.request("GET", path)
                    answer = json.loads(reader.getresponse().read())
                    [article_now] = answer.get("articles", [answer])
                    assert article_now["title"] == str(number)
