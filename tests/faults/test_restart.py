import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import psycopg
import pytest

from tests.conftest import SECRET
from tests.support.client import Outcome
from tests.support.clusters import Cluster, empty_cluster, server_folder
from tests.support.load import LIMITLESS, Load
from tests.support.servers import Server, running


@pytest.fixture
def postgres() -> Iterator[Cluster]:
    with server_folder() as folder, empty_cluster(folder / "server") as cluster:
        yield cluster


@pytest.fixture
def server(postgres: Cluster, tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, DATABASE_URL=postgres.url, SECRET_KEY=SECRET, **LIMITLESS) as server:
        yield server


def survivors(cluster: Cluster) -> list[tuple[int, str]]:
    with psycopg.connect(cluster.url) as connection:
        return connection.execute("SELECT id, title FROM articles").fetchall()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restarts_under_load_lose_nothing_and_heal_within_a_second(
    postgres: Cluster, server: Server, mode: str
) -> None:
    load, outages = Load(server.port, server.sign_up()), []
    with load.running():
        for _ in range(4):
            load.await_more_writes(300)
            postgres.stop(mode)
            time.sleep(0.5)
            postgres.start()
            outages.append(load.seconds_to_next_write())
    print(f"{mode}: outages {outages}; {load.report()}")
    # The service itself lives all the time: it answers everybody, and drops nobody.
    assert load.faults(survivors(postgres), {Outcome.UNAVAILABLE: inf}) == {}
    assert max(outages) <= 1


def test_after_a_restart_nobody_sees_a_dead_connection(postgres: Cluster, server: Server) -> None:
    load = Load(server.port, server.sign_up())
    with load.running():
        load.await_writes(200)
    postgres.stop()
    postgres.start()
    assert [server.call("GET", "/articles")[0] for _ in range(40)] == [200] * 40


def test_while_it_is_down_the_service_is_unavailable(postgres: Cluster, server: Server) -> None:
    postgres.stop()
    expected = {"error": "Service is unavailable, try again later"}
    answers = [server.call("GET", path) for path in ("/articles", "/articles/1", "/users/1")]
    assert answers == [(503, expected)] * 3


def test_a_database_that_may_only_be_read_can_be_read(postgres: Cluster, server: Server) -> None:
    token = server.sign_up()
    article = {"title": "A title", "text": "A text", "access-token": token}
    server.call("POST", "/articles/new", article)
    postgres.configure(default_transaction_read_only="on")
    postgres.stop()
    postgres.start()
    statuses = (
        server.call("POST", "/articles/new", article)[0],
        server.call("GET", "/articles/1")[0],
    )
    assert statuses == (503, 200)


def test_times_are_in_utc_wherever_the_database_thinks_it_is(server: Server) -> None:
    article = {"title": "A title", "text": "A text", "access-token": server.sign_up()}
    posted = server.call("POST", "/articles/new", article)[1]
    read = server.call("GET", f"/articles/{posted['id']}")[1]
    moment = datetime.fromisoformat(posted["date_posted"]).replace(tzinfo=UTC)
    assert read["date_posted"] == posted["date_posted"]
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
