"""Upgrades under a load that is long enough to be sure, and a restart as their control."""

from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.conftest import SECRET
from tests.support.client import Outcome
from tests.support.load import LIMITLESS, Load
from tests.support.servers import running
from tests.support.upgrades import SECONDS, activated, articles_in, faults, log_of, upgraded
from tests.support.versions import TODAY, Releases, version

KARMA = version(TODAY)
"""A version of the schema with which the program before can go on."""

UPGRADES = 3
REQUESTS = 3_000


def test_sigusr2_refuses_nobody_and_loses_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, **LIMITLESS))
        load = Load(server.port, server.sign_up())
        with load.running():
            for _ in range(UPGRADES):
                load.await_more_writes(200)
                new = stack.enter_context(upgraded(server, tmp_path))
                load.await_more_writes(100)
                server.stop()
                server = new
            load.await_more_writes(200)
    print(load.report())
    assert faults(load, articles_in(tmp_path), UPGRADES) == {}
    assert load.outcomes.total() >= REQUESTS


def test_restarts_behind_a_socket_of_systemd_refuse_nobody_and_lose_nothing(
    tmp_path: Path,
) -> None:
    with activated(tmp_path, **LIMITLESS) as unit:
        load = Load(unit.port, unit.sign_up(), patience=SECONDS)
        with load.running():
            for _ in range(UPGRADES):
                load.await_more_writes(300)
                unit.service(tmp_path).stop()
            load.await_more_writes(300)
    print(load.report())
    assert faults(load, articles_in(tmp_path), UPGRADES) == {}
    assert load.outcomes.total() >= REQUESTS


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path}/data/forum.db"


def survivors(url: str, folder: Path) -> list[tuple[int, str]]:
    if url.startswith("sqlite"):
        return articles_in(folder)
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT id, title FROM articles").fetchall()


def test_a_version_with_which_both_go_on_is_made_under_load(tmp_path: Path, url: str) -> None:
    releases = Releases(tmp_path / "code")
    releases.install()
    settings = LIMITLESS | {"DATABASE_URL": url, "SECRET_KEY": SECRET}
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, program=releases.current, **settings))
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_more_writes(300)
            releases.install(KARMA)
            new = stack.enter_context(upgraded(server, tmp_path))
            load.await_more_writes(300)
            server.stop()
            releases.install()
            server = stack.enter_context(upgraded(new, tmp_path))
            new.stop()
            load.await_more_writes(300)
    print(load.report())
    assert f"{TODAY + 1:04}_later" in log_of(tmp_path)
    assert faults(load, survivors(url, tmp_path), upgrades=2) == {}


def test_a_stop_and_a_start_refuse_some(tmp_path: Path) -> None:
    with running(tmp_path, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_more_writes(200)
            server.stop()
            with running(tmp_path, port=server.port, **LIMITLESS):
                load.await_more_writes(200)
    print(load.report())
    assert load.total(Outcome.UNREACHABLE) > 0
