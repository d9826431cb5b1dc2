"""A store or a secret that cannot be used: 503 as long as that lasts, and no longer."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import apsw
import psycopg
import pytest

from forum.adapters.sql.database import Row
from forum.adapters.sql.postgres import PostgresDatabase
from forum.domain.errors import Unavailable
from tests.conftest import SECRET
from tests.server.test_worker import await_that, log_of
from tests.support.clusters import Cluster, empty_cluster, find_binaries, server_folder
from tests.support.servers import (
    FORUM_SERVE,
    OWN_GUNICORN,
    PASSWORD,
    Server,
    environment,
    free_port,
    running,
)

Damage = Callable[[Path], object]

UNAVAILABLE = (503, {"error": "Service is unavailable, try again later"})
NUMBERS = count(1)
CREDENTIALS = {"username": "alice#1", "password": PASSWORD}


@pytest.fixture(params=[FORUM_SERVE, OWN_GUNICORN], ids=["serve", "gunicorn"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The two ways to start it."""
    started: tuple[str, ...] = request.param
    return started


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that a test may stop; it runs again at the end of each."""
    if not find_binaries() and "CI" not in os.environ:
        pytest.skip("PostgreSQL is not installed")
    with server_folder() as folder, empty_cluster(folder / "server") as cluster:
        yield cluster


@pytest.fixture
def on_postgres(own_cluster: Cluster, tmp_path: Path, command: tuple[str, ...]) -> Iterator[Server]:
    settings = {"DATABASE_URL": own_cluster.url, "SECRET_KEY": SECRET, "STORE_TIMEOUT": "1"}
    with running(tmp_path, command=command, **settings) as server:
        yield server


def both_workers(server: Server) -> list[int]:
    """Those of a service that has just started: the second one comes a little later."""
    await_that(lambda: len(server.workers()) == 2, seconds=10)
    return server.workers()


def kill_workers(server: Server) -> None:
    """And wait until there are others."""
    old = both_workers(server)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    await_that(lambda: len(set(server.workers()) - set(old)) == len(old), seconds=10)


def is_healed(server: Server, path: str = "/articles") -> bool:
    return all(server.call("GET", path)[0] == 200 for _ in range(10))


def test_workers_that_are_born_while_the_store_is_down_serve_when_it_is_back(
    on_postgres: Server, own_cluster: Cluster
) -> None:
    own_cluster.stop()
    try:
        kill_workers(on_postgres)
        answers = [on_postgres.call("GET", "/articles") for _ in range(4)]
    finally:
        own_cluster.start()
    await_that(lambda: is_healed(on_postgres), seconds=5)
    assert answers == [UNAVAILABLE] * 4


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return tmp_path / "data/secret.key"


@pytest.fixture
def on_sqlite(tmp_path: Path, command: tuple[str, ...]) -> Iterator[Server]:
    with running(tmp_path, command=command) as server:
        yield server


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("")])
class TestWithoutSecret:
    def test_workers_that_are_born_answer_what_needs_no_token(
        self, on_sqlite: Server, secret: Path, damage: Damage
    ) -> None:
        token = {"access-token": on_sqlite.sign_up()}
        kept = secret.read_text()
        damage(secret)
        kill_workers(on_sqlite)
        answers = [
            on_sqlite.call("GET", "/articles")[0],
            on_sqlite.call("POST", "/register", CREDENTIALS | {"username": "bobby#2"})[0],
            on_sqlite.call("POST", "/verify-token", token)[0],
            on_sqlite.call("POST", "/login", CREDENTIALS)[0],
        ]
        secret.write_text(kept)
        healed = [on_sqlite.call("POST", "/verify-token", token)[0] for _ in range(10)]
        assert (answers, healed) == ([200, 200, 503, 503], [200] * 10)

    def test_running_workers_go_on_with_what_they_know(
        self, on_sqlite: Server, secret: Path, damage: Damage
    ) -> None:
        token = {"access-token": on_sqlite.sign_up()}
        foreign = {"access-token": token["access-token"].replace("e", "f", 1)}
        damage(secret)
        answers = [on_sqlite.call("POST", "/verify-token", foreign)[0] for _ in range(10)]
        answers += [on_sqlite.call("POST", "/verify-token", token)[0] for _ in range(10)]
        assert answers == [401] * 10 + [200] * 10

    def test_a_renewal_is_refused_and_says_why(
        self, on_sqlite: Server, secret: Path, damage: Damage, tmp_path: Path
    ) -> None:
        token = {"access-token": on_sqlite.sign_up()}
        old = both_workers(on_sqlite)
        damage(secret)
        on_sqlite.process.send_signal(signal.SIGHUP)
        await_that(lambda: "The workers are not renewed: the secret" in log_of(tmp_path), 10)
        answer = on_sqlite.call("POST", "/verify-token", token)[0]
        assert (old, answer) == (on_sqlite.workers(), 200)


def test_a_login_without_a_secret_begins_no_session(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        token = {"access-token": server.sign_up()}
        secret = tmp_path / "data/secret.key"
        kept = secret.read_text()
        secret.unlink()
        kill_workers(server)
        server.call("POST", "/login", CREDENTIALS)
        secret.write_text(kept)
        assert len(server.call("GET", "/sessions", token)[1]["sessions"]) == 1


def test_a_renewal_is_refused_while_the_store_is_down(
    on_postgres: Server, own_cluster: Cluster, tmp_path: Path
) -> None:
    old = both_workers(on_postgres)
    own_cluster.stop()
    try:
        on_postgres.process.send_signal(signal.SIGHUP)
        await_that(lambda: "The workers are not renewed: the database" in log_of(tmp_path), 10)
    finally:
        own_cluster.start()
    await_that(lambda: is_healed(on_postgres), seconds=5)
    assert old == on_postgres.workers()


def test_a_start_without_a_store_is_refused_in_one_line(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    environ = environment(
        BIND=f"127.0.0.1:{free_port()}",
        DATABASE_URL="postgresql://127.0.0.1:1/forum",
        SECRET_KEY=SECRET,
    )
    result = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env=environ | {"GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{free_port()}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("Error: the database cannot be used: ")
    assert "Traceback" not in result.stderr


@contextmanager
def unwritable(cluster: Cluster) -> Iterator[None]:
    """No article can be written, and every one can be read."""
    with psycopg.connect(cluster.url) as connection:
        connection.execute("LOCK TABLE articles IN SHARE MODE")
        yield


def post(server: Server, token: str, title: str = "A title") -> tuple[int, object]:
    article = {"title": title, "text": "A text", "access-token": token}
    return server.call("POST", "/articles/new", article)


def test_writers_who_wait_keep_no_reader_waiting(on_postgres: Server, own_cluster: Cluster) -> None:
    token = on_postgres.sign_up(f"user#{next(NUMBERS)}")
    statuses = []
    with unwritable(own_cluster), ThreadPoolExecutor(48) as pool:
        writers = [pool.submit(post, on_postgres, token) for _ in range(48)]
        while not any(writer.done() for writer in writers):
            statuses.append(on_postgres.call("POST", "/verify-token", {"access-token": token})[0])
            statuses.append(on_postgres.call("GET", "/articles")[0])
        answers = {writer.result()[0] for writer in writers}
    assert (set(statuses), answers, len(statuses) > 10) == ({200}, {503}, True)


def test_what_was_refused_for_its_time_is_not_written(
    on_postgres: Server, own_cluster: Cluster
) -> None:
    token = on_postgres.sign_up(f"user#{next(NUMBERS)}")
    with unwritable(own_cluster), ThreadPoolExecutor(48) as pool:
        writers = [pool.submit(post, on_postgres, token, "Never written") for _ in range(48)]
        answers = {writer.result()[0] for writer in writers}
    with psycopg.connect(own_cluster.url) as connection:
        query = "SELECT count(*) FROM articles WHERE title = 'Never written'"
        assert (answers, connection.execute(query).fetchone()) == ({503}, (0,))


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """The server does nothing more, and the kernel goes on to acknowledge what it is sent."""
    processes = cluster.processes()
    try:
        send_all(processes, signal.SIGSTOP)
        yield
    finally:
        send_all(processes, signal.SIGCONT)


def send_all(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):  # A server process ends with its client.
            os.kill(pid, number)


def connections_to(port: int) -> int:
    """How many connections to the port are in use by this end."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def test_a_thread_waits_for_a_frozen_store_no_longer_than_it_may(own_cluster: Cluster) -> None:
    database = PostgresDatabase(own_cluster.url, timeout=30)

    def ask() -> list[Row]:
        with database.within(0.5):
            return database.query("SELECT 1")

    with ThreadPoolExecutor(1) as pool:
        before = pool.submit(ask).result(timeout=10)
        with frozen(own_cluster), pytest.raises(Unavailable):
            pool.submit(ask).result(timeout=10)
        after = pool.submit(ask).result(timeout=10)
        pool.submit(database.close).result(timeout=10)
    assert before == after == [(1,)]


def test_connections_that_were_not_made_leave_no_socket(own_cluster: Cluster) -> None:
    database = PostgresDatabase(own_cluster.url, timeout=30)
    gc.disable()
    try:
        with frozen(own_cluster):
            before = connections_to(own_cluster.port)
            for _ in range(3):
                with database.within(0), suppress(Unavailable):
                    database.query("SELECT 1")
            after = connections_to(own_cluster.port)
    finally:
        gc.enable()
    assert before == after


def threads(server: Server) -> int:
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in server.workers())


def test_a_frozen_store_is_unavailable_at_the_timeout(
    on_postgres: Server, own_cluster: Cluster
) -> None:
    token = on_postgres.sign_up(f"user#{next(NUMBERS)}")
    with ThreadPoolExecutor(40) as pool:
        for each in [pool.submit(post, on_postgres, token) for _ in range(40)]:
            each.result()
        before = threads(on_postgres)
        with frozen(own_cluster):
            calls = [pool.submit(on_postgres.call, "GET", "/articles") for _ in range(40)]
            calls += [pool.submit(post, on_postgres, token) for _ in range(40)]
            # The client's own timeout is 10 seconds.
            answers = [call.result() for call in calls]
            grown = threads(on_postgres) - before
    await_that(lambda: is_healed(on_postgres), seconds=5)
    assert (answers, grown <= 32) == ([UNAVAILABLE] * 80, True)


def test_a_token_check_waits_for_no_note(on_sqlite: Server, tmp_path: Path) -> None:
    token = {"access-token": on_sqlite.sign_up()}
    database = tmp_path / "data/forum.db"
    with closing(apsw.Connection(str(database))) as other:
        other.execute("UPDATE sessions SET last_used = '2020-02-02T00:17:49.735642'")
        other.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        statuses = [on_sqlite.call("POST", "/verify-token", token)[0] for _ in range(50)]
        seconds = time.monotonic() - begin
        other.execute("ROLLBACK")
    assert statuses == [200] * 50
    assert seconds < 5  # Of which each note would have waited all.


def test_a_request_waits_the_store_timeout_in_all(tmp_path: Path) -> None:
    def timed_post() -> tuple[object, bool]:
        begin = time.monotonic()
        return post(server, token), time.monotonic() - begin < 2.75

    with running(tmp_path, WORKERS="1", STORE_TIMEOUT="2") as server:
        token = server.sign_up()
        with (
            closing(apsw.Connection(str(tmp_path / "data/forum.db"))) as other,
            ThreadPoolExecutor(2) as pool,
        ):
            other.execute("BEGIN IMMEDIATE")
            first = pool.submit(timed_post)
            time.sleep(1)  # The second gets its thread when half of its time is over.
            second = pool.submit(timed_post)
            answers = [first.result(), second.result()]
    assert answers == [(UNAVAILABLE, True)] * 2
