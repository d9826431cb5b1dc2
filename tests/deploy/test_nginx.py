"""The site for nginx, with nginx and the service behind it."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from forum.domain.errors import Unavailable
from forum.http.errors import ANSWERS, FALCON_SENTENCES, BodyTooLarge
from tests.deploy.conftest import require
from tests.support.nginx import SITE, Reply, Site, nginx, proxying
from tests.support.servers import PASSWORD, Server, free_port, running

MEBIBYTE = 1024**2
SETTINGS = {"TRUSTED_PROXIES": "127.0.0.1", "TEXT_LIMIT": "2100000", "ACCESS_LOG": "on"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("nginx", "openssl")
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with running(folder, **SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def site(server: Server, folder: Path) -> Iterator[Site]:
    with proxying(folder, server.port) as site:
        yield site


@pytest.fixture(scope="module")
def silent() -> Iterator[socket.socket]:
    """A service that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(5)
        yield silent


@pytest.fixture(scope="module")
def hasty(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, silent: socket.socket
) -> Iterator[Site]:
    """One in front of the silent service, with short waits."""
    port = silent.getsockname()[1]
    with proxying(tmp_path_factory.mktemp("hasty"), port, SITE.replace("30s", "1s")) as site:
        yield site


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Site]:
    """One whose service is not there."""
    with proxying(tmp_path_factory.mktemp("lonely"), free_port()) as site:
        yield site


def credentials(username: str, password: str = PASSWORD) -> bytes:
    return json.dumps({"username": username, "password": password}).encode()


def sign_up(site: Site, username: str, **options: str) -> str:
    """The token of a new user."""
    assert site.call("POST", "/register", credentials(username), **options).status == 200
    token: str = site.call("POST", "/login", credentials(username)).answer["access-token"]
    return token


def post(site: Site, token: str, size: int) -> Reply:
    """The answer to an article whose body has so many bytes."""
    empty = json.dumps({"title": "A title", "text": "", "access-token": token})
    body = empty.replace('"text": ""', f'"text": "{"x" * (size - len(empty))}"').encode()
    assert len(body) == size
    return site.call("POST", "/articles/new", body)


def test_nginx_finds_nothing_to_complain_of(site: Site) -> None:
    tested = subprocess.run(
        [*nginx(site.folder), "-t"], capture_output=True, text=True, check=False, timeout=20
    )
    assert (tested.returncode, "[warn]" in tested.stderr) == (0, False), tested.stderr


def test_a_hundred_wrong_logins_of_one_client_lock_out_no_other(site: Site) -> None:
    sign_up(site, "guessed#1")

    def log_in(username: str, password: str, source: str) -> int:
        return site.call("POST", "/login", credentials(username, password), source=source).status

    with ThreadPoolExecutor(8) as pool:
        guesses = pool.map(lambda n: log_in(f"nobody#{n}", "Wrong#123", "127.0.0.2"), range(100))
        assert set(guesses) == {401}
    assert log_in("guessed#1", PASSWORD, "127.0.0.2") == 429
    assert log_in("guessed#1", PASSWORD, "127.0.0.3") == 200


def test_a_client_cannot_choose_its_address(site: Site) -> None:
    wrong = credentials("forger#1", "Wrong#123")
    forged = [{"X-Forwarded-For": f"10.0.0.{number}"} for number in range(11)]
    statuses = [site.call("POST", "/login", wrong, each, "127.0.0.4").status for each in forged]
    assert statuses == [401] * 10 + [429]


def test_a_body_of_two_mebibytes_passes(site: Site) -> None:
    assert post(site, sign_up(site, "writer#1"), 2 * MEBIBYTE).status == 200


def test_a_body_above_the_limit_of_the_service_is_refused_by_the_service(
    site: Site, folder: Path
) -> None:
    refused = post(site, "", 2 * MEBIBYTE + 1)
    assert (refused.status, refused.answer) == (413, {"error": ANSWERS[BodyTooLarge].sentence})
    assert status_in_log(folder, refused.headers["X-Request-ID"]) == 413


def status_in_log(folder: Path, id: str) -> int:
    """How the service says that it answered a request, which it may say later."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        lines = [json.loads(each) for each in (folder / "server.log").read_text().splitlines()]
        for line in lines:
            if line.get("request_id") == id and line["event"] == "request":
                return int(line["status"])
        time.sleep(0.02)
    raise AssertionError(lines)


def lasting(reply: Reply) -> dict[str, str]:
    """The headers that all refusals have, with their values."""
    of_one = {"date", "connection", "content-length", "retry-after", "x-request-id"}
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return {name: value for name, value in headers.items() if name not in of_one}


REFUSED = {
    ("GET", "Host: another"): (400, "Bad request"),
    ("GET", f"Cookie: {'x' * 40_000}"): (400, "Bad request"),
    ("TRACE", "Accept: */*"): (405, FALCON_SENTENCES[405]),
    ("POST", "Content-Length: 4000000"): (413, ANSWERS[BodyTooLarge].sentence),
    ("GET", "Accept: */*"): (504, ANSWERS[Unavailable].sentence),
}
"""What nginx refuses in front of a service that does not answer, with status and sentence."""


@pytest.mark.parametrize(("method", "header"), REFUSED, ids=lambda each: each[:20])
def test_what_nginx_refuses_looks_like_a_refusal_of_the_service(
    site: Site, hasty: Site, method: str, header: str
) -> None:
    head = f"{method} /login HTTP/1.1\r\nHost: forum.example\r\n{header}\r\n\r\n"
    refused = hasty.talk(head.encode())
    assert (refused.status, refused.answer["error"]) == REFUSED[method, header]
    assert lasting(refused) == lasting(site.call("POST", "/register", b" " * MEBIBYTE))


def test_a_service_that_is_not_there_is_unavailable(lonely: Site) -> None:
    refused, usual = lonely.call("POST", "/login", credentials("alice#1")), ANSWERS[Unavailable]
    assert (refused.status, refused.answer) == (502, {"error": usual.sentence})
    assert refused.headers["Retry-After"] == usual.headers["Retry-After"]


IDS = {"my-id.1_A": True, "x" * 64: True, "x" * 65: False, "two words": False, "": False}
"""What clients send as an id, and whether it is one."""


@pytest.mark.parametrize(("given", "is_kept"), IDS.items())
@pytest.mark.parametrize("name", ["site", "lonely"])
def test_a_request_id_passes_if_it_is_one(
    request: pytest.FixtureRequest, name: str, given: str, is_kept: bool
) -> None:
    proxy: Site = request.getfixturevalue(name)
    answered = proxy.call("GET", "/articles", headers={"X-Request-ID": given}).headers
    assert (answered["X-Request-ID"] == given) == is_kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answered["X-Request-ID"])


def test_the_service_gets_the_id_that_an_answer_of_nginx_has(
    hasty: Site, silent: socket.socket
) -> None:
    id = hasty.call("GET", "/articles").headers["X-Request-ID"]
    head = b""
    while f"X-Request-ID: {id}\r\n".encode() not in head:
        with silent.accept()[0] as connection:  # Those of other tests come first.
            head = connection.recv(65536)


def test_plain_http_leads_to_https_with_method_and_query(site: Site) -> None:
    moved = site.call_plainly("POST", "/login?x=1")
    expected = (308, "https://forum.example/login?x=1")
    assert (moved.status, moved.headers["Location"]) == expected


def test_proofs_for_a_certificate_are_served_without_one(site: Site) -> None:
    proof = site.folder / ".well-known/acme-challenge/proof"
    proof.parent.mkdir(parents=True)
    proof.write_text("proof")
    assert site.call_plainly("GET", "/.well-known/acme-challenge/proof").content == b"proof"


def test_http_2_is_spoken(site: Site) -> None:
    with site.connected("h2", "http/1.1") as connection:
        assert connection.selected_alpn_protocol() == "h2"


def test_a_compressed_article_is_known_by_its_tag(site: Site) -> None:
    path = f"/articles/{post(site, sign_up(site, 'reader#1'), 2000).answer['id']}"
    accepted = {"Accept-Encoding": "gzip"}
    sent = site.call("GET", path, headers=accepted).headers
    assert (sent["Content-Encoding"], sent["ETag"][:2]) == ("gzip", "W/")
    known = accepted | {"If-None-Match": sent["ETag"]}
    assert site.call("GET", path, headers=known).status == 304
