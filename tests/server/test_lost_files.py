"""Files that are pulled away under the service, and starts beside what is left of them."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tests.server.test_outages import UNAVAILABLE, both_workers, kill_workers, post
from tests.server.test_worker import await_that, log_of
from tests.support.servers import PASSWORD, Server, free_port, run, running

REGISTRATION = {"username": "bobby#2", "password": PASSWORD}
Removal = Callable[[Path], Callable[[], object]]
"""Takes something away from beside a database, and returns what brings it back."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture
def database(tmp_path: Path, server: Server) -> Path:
    return tmp_path / "data/forum.db"


def move(database: Path) -> Callable[[], object]:
    elsewhere = database.with_name("elsewhere")
    database.rename(elsewhere)
    return lambda: elsewhere.rename(database)


def replace(database: Path) -> Callable[[], object]:
    other = database.with_name("other.db")
    with closing(apsw.Connection(str(other))) as connection:
        connection.execute("CREATE TABLE users (id)")
    back = move(database)
    other.rename(database)
    return back


def empty(database: Path) -> Callable[[], object]:
    back = move(database)
    database.touch()
    return back


def move_log(database: Path) -> Callable[[], object]:
    log, elsewhere = database.with_name("forum.db-wal"), database.with_name("elsewhere")
    log.rename(elsewhere)
    return lambda: None


def is_healed(server: Server, token: str) -> bool:
    return all(post(server, token)[0] == 200 for _ in range(10))


@pytest.mark.parametrize("pull", [move, replace, empty])
def test_no_write_is_answered_while_the_database_is_away(
    server: Server, database: Path, pull: Removal
) -> None:
    token = server.sign_up()
    back = pull(database)
    answers = [post(server, token) for _ in range(10)]
    answers += [server.call("POST", "/register", REGISTRATION) for _ in range(4)]
    back()
    await_that(lambda: is_healed(server, token), seconds=5)
    assert answers == [UNAVAILABLE] * 14


@pytest.mark.parametrize("pull", [move, replace, empty])
def test_reads_notice_within_a_second(server: Server, database: Path, pull: Removal) -> None:
    both_workers(server)
    assert server.call("GET", "/articles")[0] == 200
    pull(database)
    await_that(lambda: {server.call("GET", "/articles")[0] for _ in range(10)} == {503}, seconds=2)


@pytest.mark.parametrize("pull", [move, replace, empty, move_log])
def test_it_is_logged_once_by_each_worker(
    server: Server, database: Path, tmp_path: Path, pull: Removal
) -> None:
    token = server.sign_up()
    for _ in range(20):
        post(server, token)
    pull(database)
    for _ in range(40):
        post(server, token)
    assert 1 <= log_of(tmp_path).count("was moved, removed or replaced") <= 2
    assert "the database refused" not in log_of(tmp_path)


def test_a_write_ahead_log_that_is_pulled_away_takes_no_answered_write_with_it(
    server: Server, database: Path
) -> None:
    token = server.sign_up()
    for number in range(30):
        assert post(server, token, f"before {number}")[0] == 200
    move_log(database)
    answers = [post(server, token, f"after {number}") for number in range(20)]
    await_that(lambda: is_healed(server, token), seconds=10)
    server.stop()
    with closing(apsw.Connection(str(database))) as connection:
        titles = {title for (title,) in connection.execute("SELECT title FROM articles")}
        [(verdict,)] = connection.execute("PRAGMA integrity_check")
    answered = {f"after {number}" for number, answer in enumerate(answers) if answer[0] == 200}
    assert {f"before {number}" for number in range(30)} | answered <= titles
    assert verdict == "ok"


def test_workers_that_are_born_make_no_database(server: Server, database: Path) -> None:
    database.unlink()
    kill_workers(server)
    answers = {server.call("GET", "/articles")[0] for _ in range(10)}
    assert (answers, database.exists()) == ({503}, False)


@pytest.mark.parametrize("pull", [replace, empty])
def test_workers_that_are_born_touch_no_other_database(
    server: Server, database: Path, pull: Removal
) -> None:
    token = server.sign_up()
    back = pull(database)
    kill_workers(server)
    answers = {server.call("GET", "/articles")[0] for _ in range(10)}
    back()
    await_that(lambda: is_healed(server, token), seconds=5)
    assert answers == {503}


def test_a_renewal_makes_no_database(server: Server, database: Path, tmp_path: Path) -> None:
    old = both_workers(server)
    database.unlink()
    server.process.send_signal(signal.SIGHUP)
    await_that(lambda: "not renewed: there is no database at" in log_of(tmp_path), seconds=10)
    assert (server.workers(), database.exists()) == (old, False)


class TestStart:
    """A start beside what is left of a database."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Where the service keeps its files."""
        (tmp_path / "data").mkdir()
        return tmp_path / "data"

    @pytest.mark.parametrize("left", ["secret.key", "forum.db-wal", "forum.db-shm"])
    @pytest.mark.parametrize(
        ("command", "is_empty"), [("serve", True), ("serve", False), ("migrate", True)]
    )
    def test_nothing_is_made(self, folder: Path, command: str, left: str, is_empty: bool) -> None:
        (folder / left).write_text("x" * 64)
        if is_empty:
            (folder / "forum.db").touch()
        before = sorted(folder.iterdir())
        result = run(folder.parent, command, BIND=f"127.0.0.1:{free_port()}")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert left in result.stderr
        assert (before, 0) == (
            sorted(folder.iterdir()),
            sum(each.stat().st_size for each in folder.glob("forum.db")),
        )

    def test_a_journal_without_a_file_belongs_to_another_database(self, folder: Path) -> None:
        (folder / "forum.db-journal").touch()
        assert run(folder.parent, "migrate").returncode == 1
        assert not (folder / "forum.db").exists()

    @pytest.mark.parametrize("left", ["forum.db", "forum.db-journal"])
    def test_a_start_that_was_broken_off_is_begun_again(self, folder: Path, left: str) -> None:
        (folder / "forum.db").touch()
        (folder / left).touch()
        with running(folder.parent) as server:
            assert server.call("GET", "/articles")[0] == 200


def test_a_taken_address_is_noticed_before_anything_is_migrated(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with running(tmp_path) as server:
        result = run(tmp_path / "other", "serve", BIND=f"127.0.0.1:{server.port}")
    assert result.returncode == 1
    assert list((tmp_path / "other").iterdir()) == []


def test_a_unix_socket_in_use_is_not_taken_over(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{tmp_path}/socket")
        other.listen()
        result = run(tmp_path, "serve", BIND=f"unix:{tmp_path}/socket")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "FORUM_BIND" in result.stderr


def test_on_postgres_no_secret_is_made(tmp_path: Path, new_postgres: Callable[[], str]) -> None:
    result = run(tmp_path, "serve", DATABASE_URL=new_postgres(), BIND=f"127.0.0.1:{free_port()}")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "FORUM_SECRET_KEY" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_on_postgres_a_secret_that_is_there_is_used(
    tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/secret.key").write_text("x" * 64)
    with running(tmp_path, DATABASE_URL=new_postgres()) as server:
        assert server.sign_up()
