"""Metrics of a whole service, compared with what its clients saw."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from forum import __version__
from tests.support.servers import PASSWORD, Server, free_port, run, running

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()

Samples = dict[str, float]
"""Values by name and labels, as they are written."""


ROUTES = {
    "/articles": "/articles",
    "/articles/1": "/articles/{article_id}",
    "/users/1": "/users/{user_id}",
}


def scrape(port: int) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    rows = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def requests(method: str, route: str, status: int) -> str:
    return f'forum_requests_total{{method="{method}",route="{route}",status="{status}"}}'


@contextmanager
def measured(folder: Path, **settings: str) -> Iterator[tuple[Server, int]]:
    """A server and the port of its metrics."""
    port = free_port()
    with running(folder, METRICS_BIND=f"127.0.0.1:{port}", **settings) as server:
        yield server, port


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    with measured(tmp_path_factory.mktemp("metrics")) as service:
        yield service


def test_answers_from_memory_are_counted(tmp_path: Path) -> None:
    with measured(tmp_path, WORKERS="1") as (server, port):
        before = scrape(port)
        for _ in range(5):
            server.call("GET", "/articles?page=9")
        server.sign_up()
        server.call("GET", "/articles?page=9")
        after = scrape(port)
    name = "forum_cache_answers_total"
    counted = [after[f'{name}{{result="{each}"}}'] for each in ("hit", "miss")]
    assert [now - before[f'{name}{{result="{each}"}}'] for now, each in
            zip(counted, ("hit", "miss"), strict=True)] == [3, 3]  # fmt: skip


def test_requests_are_counted_by_the_routes_of_the_table(service: tuple[Server, int]) -> None:
    server, port = service
    before = scrape(port)
    for path in ("/articles/7", "/articles/8", "/nope", "/also-nope"):
        server.call("GET", path)
    server.talk(b"BREW /articles HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    after = scrape(port)
    expected = {
        requests("GET", "/articles/{article_id}", 404): 2,
        requests("GET", "none", 404): 2,
        requests("other", "/articles", 405): 1,
    }
    assert {name: after[name] - before.get(name, 0) for name in expected} == expected


def test_durations_are_counted_with_their_requests(service: tuple[Server, int]) -> None:
    server, port = service
    server.call("GET", "/users/9")
    labels = 'method="GET",route="/users/{user_id}"'
    samples = scrape(port)
    count = samples[f"forum_request_duration_seconds_count{{{labels}}}"]
    assert count == samples[requests("GET", "/users/{user_id}", 404)]
    assert 0 < samples[f"forum_request_duration_seconds_sum{{{labels}}}"] < 10 * count


def test_logins_and_refusals_are_counted_by_what_became_of_them(
    service: tuple[Server, int],
) -> None:
    server, port = service
    server.sign_up("counted#1")
    before = scrape(port)
    for ending in ("", "x", "y"):
        credentials = {"username": "counted#1", "password": PASSWORD + ending}
        server.call("POST", "/login", credentials)
    after = scrape(port)
    expected = {
        'forum_logins_total{result="success"}': 1,
        'forum_logins_total{result="failure"}': 2,
        'forum_refusals_total{reason="WrongCredentials"}': 2,
    }
    assert {name: after[name] - before.get(name, 0) for name in expected} == expected
    assert after['forum_pool_wait_seconds_count{pool="hashing"}'] >= 3


def test_the_documents_have_every_metric_and_no_other(service: tuple[Server, int]) -> None:
    endings = r"(_bucket|_sum|_count)?({.*)?$"
    found = {re.sub(endings, "", each) for each in scrape(service[1])}
    assert found == set(re.findall(r"^\| `(forum_\w+)", OPERATIONS, re.MULTILINE))


def test_every_alert_has_words_and_known_metrics() -> None:
    rules = (ROOT / "deploy/prometheus-rules.yml").read_text()
    documented = set(re.findall(r"^\| `(forum_\w+)", OPERATIONS, re.MULTILINE))
    assert {
        re.sub("_bucket$", "", each) for each in re.findall(r"\bforum_\w+", rules)
    } <= documented
    alerts = re.findall(r"alert: (\w+)", rules)
    assert re.findall(r"^\| `(Forum\w+)`", OPERATIONS, re.MULTILINE) == alerts


@pytest.mark.skipif(
    not shutil.which("promtool") and "CI" not in os.environ, reason="promtool is not installed"
)
def test_prometheus_understands_its_file_and_the_alerts() -> None:
    command = ["promtool", "check", "config", ROOT / "deploy/prometheus.yml"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "5 rules found" in checked.stdout


def test_what_goes_on_at_the_moment_is_shown(service: tuple[Server, int]) -> None:
    expected = {
        f'forum_build_info{{version="{__version__}"}}': 1,
        "forum_workers": 2,
        "forum_requests_in_flight": 0,
        'forum_pool_running{pool="hashing"}': 0,
        'forum_pool_waiting{pool="writing"}': 0,
    }
    # What is in flight is noted once a second.
    await_that(lambda: expected.items() <= scrape(service[1]).items())


@dataclass
class Clients:
    """Some that read, and count what they get."""

    port: int
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    broken: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        while not self.is_over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                for path in [*ROUTES] * 5:
                    connection.request("GET", path)
                    response = connection.getresponse()
                    response.read()
                    self.answers[path, response.status] += 1
            except (OSError, http.client.HTTPException):
                self.broken += 1
            finally:
                connection.close()


def test_counts_are_those_of_the_clients_over_kills_and_renewals(tmp_path: Path) -> None:
    with measured(tmp_path) as (server, port):
        server.sign_up()
        folder, before = metrics_folder(server), scrape(port)
        clients = Clients(server.port)
        threads = [threading.Thread(target=clients.read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(6):
            enough = clients.answers.total() + 100
            await_that(lambda enough=enough: clients.answers.total() > enough)
            if turn % 2:
                server.process.send_signal(signal.SIGHUP)
            else:
                kill_one(server)
        clients.is_over.set()
        for thread in threads:
            thread.join()
        await_that(lambda: scrape(port)["forum_requests_in_flight"] == 0)
        after = scrape(port)
        files = [each for each in folder.iterdir() if each.suffix == ".db"]
    for (path, status), seen in clients.answers.items():
        name = requests("GET", ROUTES[path], status)
        counted = after[name] - before.get(name, 0)
        # An answer that was cut on its way is counted here, and not there.
        assert seen <= counted <= seen + clients.broken, (path, status)
    assert clients.answers.total() > 600
    assert len(files) <= 3 * 5  # kinds of files, slots: two of each generation and one to spare


def metrics_folder(server: Server) -> Path:
    """Where the workers of a service count."""
    maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in server.workers())
    [folder] = set(re.findall(r"(/\S+forum-metrics-\w+)/", maps))
    return Path(folder)


def kill_one(server: Server) -> None:
    with suppress(ProcessLookupError):
        os.kill(server.workers()[0], signal.SIGKILL)


def await_that(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_files_are_gone_with_the_service(tmp_path: Path) -> None:
    with measured(tmp_path) as (server, _):
        folder = metrics_folder(server)
        assert folder.exists()
        assert server.stop() == 0
        assert not folder.exists()


def test_signals_are_heeded_at_once_beside_the_metrics(tmp_path: Path) -> None:
    with measured(tmp_path) as (server, port):
        scrape(port)
        assert server.stop(seconds=5) == 0


def test_an_address_that_is_taken_is_refused_in_one_line(
    tmp_path: Path, service: tuple[Server, int]
) -> None:
    result = run(
        tmp_path, "serve", METRICS_BIND=f"127.0.0.1:{service[1]}", BIND=f"127.0.0.1:{free_port()}"
    )
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: FORUM_METRICS_BIND: nothing can listen on")


def test_metrics_are_off_unless_they_are_asked_for(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.call("GET", "/metrics")[0] == 404
        maps = Path(f"/proc/{server.workers()[0]}/maps").read_text()
    assert "forum-metrics" not in maps
