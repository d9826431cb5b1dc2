"""PostgreSQL behind a PgBouncer, which must leave each client a connection of its own."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import run
from tests.conftest import SECRET
from tests.support.clusters import Cluster
from tests.support.load import LIMITLESS, Load
from tests.support.poolers import find_pgbouncer, pooled
from tests.support.servers import running
from tests.support.stores import open_database
from tests.support.upgrades import faults

pytestmark = pytest.mark.skipif(
    not find_pgbouncer() and "CI" not in os.environ, reason="pgbouncer is not installed"
)


@pytest.fixture
def session_url(cluster: Cluster, postgres_url: str) -> Iterator[str]:
    with pooled(cluster, postgres_url, "session") as url:
        yield url


@pytest.mark.usefixtures("_no_settings")
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_mode_that_shares_connections_is_refused_in_one_line(
    cluster: Cluster, postgres_url: str, mode: str
) -> None:
    with pooled(cluster, postgres_url, mode) as url:
        result = run("migrate", DATABASE_URL=url)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the database cannot be used: PgBouncer shares connections of the server between "
        "clients, who lose their settings and prepared statements: set pool_mode = session\n"
    )


def test_the_service_works_in_session_mode(
    tmp_path: Path, session_url: str, postgres_url: str
) -> None:
    with running(tmp_path, DATABASE_URL=session_url, SECRET_KEY=SECRET, **LIMITLESS) as server:
        load = Load(server.port, server.sign_up())
        with load.running():
            load.await_more_writes(30)
    with psycopg.connect(postgres_url) as connection:
        present = connection.execute("SELECT id, title FROM articles").fetchall()
    assert faults(load, present, upgrades=0) == {}


def test_settings_last_in_session_mode(session_url: str) -> None:
    with closing(open_database(session_url, timeout=3)) as database:
        shown = [
            database.query(f"SHOW {name}") for name in ("statement_timeout", "plan_cache_mode")
        ]
    assert shown == [[("3s",)], [("force_generic_plan",)]]
