"""SIGUSR2: another master beside the one that serves, which goes on until it is told to stop."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.load import LIMITLESS, Load
from tests.support.servers import Server, free_port, running
from tests.support.upgrades import (
    are_ready,
    articles_in,
    as_documented,
    await_that,
    failed_upgrade,
    faults,
    upgraded,
)

AS_A_MODULE = ("-u", "-m", "forum", "serve")
"""As `python -m forum serve`: were that line repeated, Python would look into its folder first."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service runs."""
    return tmp_path_factory.mktemp("upgrade")


@pytest.fixture(scope="module")
def server(data: Path, folder: Path) -> Iterator[Server]:
    """A service that goes on after each test as before."""
    url = f"sqlite:///{data}/forum.db"
    with running(folder, command=AS_A_MODULE, DATABASE_URL=url) as server:
        await_that(lambda: are_ready(server, folder), folder)
        yield server


@contextmanager
def damaged(secret: Path) -> Iterator[None]:
    """No service can start."""
    kept = secret.read_text()
    secret.write_text("short")
    yield
    secret.write_text(kept)


@contextmanager
def without(folder: Path) -> Iterator[None]:
    """No process can be in the folder by its name."""
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    yield
    elsewhere.rename(folder)


@dataclass
class Failure:
    """A master that could not start."""

    lines: list[str]
    """Of the log, from SIGUSR2 on."""
    workers_before: list[int]
    workers_after: list[int]


@pytest.fixture(scope="module")
def failure(server: Server, folder: Path, data: Path) -> Failure:
    before = server.workers()
    with damaged(data / "secret.key"):
        lines = failed_upgrade(server, folder)
    return Failure(lines, before, server.workers())


def test_a_master_that_cannot_start_says_why_in_one_line(failure: Failure) -> None:
    [complaint] = [line for line in failure.lines if not line.startswith("{")]
    assert complaint.startswith("Error: the secret cannot be used: ")


def test_the_same_workers_go_on_after_a_failed_start(failure: Failure) -> None:
    assert failure.workers_before == failure.workers_after


def test_the_same_workers_go_on_where_the_program_cannot_be_executed(
    server: Server, folder: Path
) -> None:
    workers = server.workers()
    with without(folder):
        lines = failed_upgrade(server, folder.with_name("elsewhere"))
    assert "No other master can be started" in "".join(lines)
    assert server.workers() == workers


def test_the_new_one_may_be_stopped_instead(server: Server, folder: Path) -> None:
    workers = server.workers()
    # No module of it is one of the program, wherever the service was started.
    (folder / "json.py").write_text("raise SystemExit('a stranger')")
    with upgraded(server, folder) as new:
        new.stop()
    await_that(lambda: server.workers() == workers, folder)
    assert server.call("GET", "/articles")[0] == 200


@dataclass
class Succession:
    """An upgrade under load, with metrics, to the end of the old master."""

    faults: dict[str, int]
    status: int
    """Of the old master."""
    scraped: list[str]
    """The metrics beside the old master, and after it."""


def scrape(port: int) -> str:
    """The metrics; empty where nobody serves them."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
    except URLError:
        return ""
    return text


@pytest.fixture(scope="module")
def succession(tmp_path_factory: pytest.TempPathFactory) -> Succession:
    folder, port = tmp_path_factory.mktemp("succession"), free_port()
    settings = LIMITLESS | {"METRICS_BIND": f"127.0.0.1:{port}"}
    with ExitStack() as stack:
        server = stack.enter_context(running(folder, **settings))
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_more_writes(30)
            stack.enter_context(upgraded(server, folder))
            beside = scrape(port)
            load.await_more_writes(30)
            as_documented(server, 1)
            status = server.process.wait(60)
            load.await_more_writes(30)
        await_that(lambda: scrape(port), folder)
        after = scrape(port)
    return Succession(faults(load, articles_in(folder), upgrades=1), status, [beside, after])


def test_nobody_is_refused_and_nothing_is_lost(succession: Succession) -> None:
    assert succession.faults == {}


def test_the_old_one_ends_with_success(succession: Succession) -> None:
    assert succession.status == 0


def test_metrics_are_served_before_and_after(succession: Succession) -> None:
    beside, after = succession.scraped
    assert "forum_workers 2.0" in beside
    assert "forum_workers 2.0" in after
