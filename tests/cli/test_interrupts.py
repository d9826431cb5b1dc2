"""Commands that move whole stores, interrupted."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import psycopg
import pytest

from forum.adapters.sql.migrations import migrate
from forum.adapters.sql.sqlite_interrupts import give_way
from forum.domain.model import Account, Article, Author, User
from tests.contract.conftest import NOW, sql_store
from tests.support.servers import environment, run, running
from tests.support.stores import open_database

PATIENCE = 20.0
"""Seconds, in which none of what is interrupted here would end by itself."""

HALF_GIB = str(512 * 1024)

OLD_SCHEMA = """
    CREATE TABLE user (id INTEGER PRIMARY KEY, username, password, date_registered);
    CREATE TABLE article (id INTEGER PRIMARY KEY, title, text, date_posted, user_id);
"""


@contextmanager
def started(folder: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "forum", *arguments],
        cwd=folder,
        env=environment(**settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def await_label(process: subprocess.Popen[str], label: str) -> None:
    """Wait until the command shows that it works at this."""
    assert process.stderr
    assert any(line.startswith(label) for line in process.stderr)


def interrupt(process: subprocess.Popen[str], times: int = 1) -> tuple[int, str]:
    """The status and the last line of the command, which ends instead of going on."""
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors.splitlines()[-1]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def many_users(tmp_path: Path) -> Path:
    """An old database whose passwords take minutes."""
    path = tmp_path / "old.sqlite"
    rows = [(id, f"user#{id}", "Password#1", "2020-02-02 00:17:49") for id in range(1, 10_001)]
    with closing(apsw.Connection(str(path))) as connection, connection:
        connection.execute(OLD_SCHEMA)
        connection.executemany("INSERT INTO user VALUES (?, ?, ?, ?)", rows)
    return path


@pytest.mark.parametrize("times", [1, 3])
def test_hashing_is_interrupted_and_leaves_nothing(
    tmp_path: Path, many_users: Path, times: int
) -> None:
    with started(tmp_path, "import-flaskapi", str(many_users)) as process:
        await_label(process, "users")
        ended = interrupt(process, times)
    assert ended == (130, "Error: interrupted")
    assert names(tmp_path / "data") == set()


def test_long_hashes_are_not_waited_for(tmp_path: Path, many_users: Path) -> None:
    with started(
        tmp_path, "import-flaskapi", str(many_users), HASH_PASSES="100", HASH_MEMORY=HALF_GIB
    ) as process:
        await_label(process, "users")
        assert interrupt(process) == (130, "Error: interrupted")


@pytest.fixture
def large(tmp_path: Path) -> str:
    """The URL of a database that takes a while to copy."""
    url = f"sqlite:///{tmp_path}/large.db"
    database = open_database(url, timeout=5)
    database.create()
    migrate(database)
    bulk = sql_store(database).bulk
    author = Author(1, "alice#1")
    with bulk.exclusive():
        bulk.add_accounts([Account(User(1, "alice#1", NOW), "a hash")])
        bulk.add_articles(
            Article(id, "A title", "x" * 100, NOW, author) for id in range(1, 100_001)
        )
    database.close()
    return url


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_copy_is_interrupted_and_leaves_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, large: str, kind: str
) -> None:
    new_postgres: Callable[[], str] = request.getfixturevalue("new_postgres")
    target = f"sqlite:///{tmp_path}/new.db" if kind == "sqlite" else new_postgres()
    before = names(tmp_path)
    with started(tmp_path, "copy", large, target) as process:
        await_label(process, "articles")
        ended = interrupt(process)
    assert ended == (130, "Error: interrupted")
    assert names(tmp_path) == before
    if kind == "postgres":
        with psycopg.connect(target) as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)


class Alarm(Exception):
    """What the handler of a signal raises."""


@pytest.fixture
def alarm() -> Iterator[None]:
    """A signal that comes soon."""

    def ring(number: int, frame: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A connection that gives way to signals."""
    with closing(apsw.Connection(str(tmp_path / "any.db"))) as connection:
        give_way(connection, busy_timeout=PATIENCE)
        yield connection


@pytest.mark.usefixtures("alarm")
def test_an_endless_statement_gives_way(connection: apsw.Connection) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) FROM n"
    with pytest.raises(Alarm):
        connection.execute(endless)


def test_waiting_for_a_lock_gives_way(
    tmp_path: Path, connection: apsw.Connection, request: pytest.FixtureRequest
) -> None:
    begun = time.monotonic()
    with closing(apsw.Connection(str(tmp_path / "any.db"))) as other:
        other.execute("BEGIN IMMEDIATE")
        request.getfixturevalue("alarm")
        with pytest.raises(Alarm):
            connection.execute("BEGIN IMMEDIATE")
    assert time.monotonic() - begun < PATIENCE


def test_a_lock_that_is_not_given_in_time_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "any.db")
    with closing(apsw.Connection(path)) as other, closing(apsw.Connection(path)) as connection:
        give_way(connection, busy_timeout=0.1)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(apsw.BusyError):
            connection.execute("BEGIN IMMEDIATE")


@pytest.fixture
def forum_with_alice(tmp_path: Path) -> Path:
    with running(tmp_path) as server:
        server.sign_up("alice#1")
    return tmp_path


def test_a_question_is_interrupted_with_the_same_status(forum_with_alice: Path) -> None:
    with started(forum_with_alice, "user", "delete", "alice#1") as process:
        assert process.stdout
        asked = iter(lambda: process.stdout.read(1), "]")
        assert "Delete alice#1" in "".join(asked)
        assert interrupt(process) == (130, "Error: interrupted")


def test_a_reader_that_has_seen_enough_hears_no_complaint(forum_with_alice: Path) -> None:
    with started(forum_with_alice, "user", "list") as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == ""


def test_progress_writes_no_codes_into_a_file(forum_with_alice: Path) -> None:
    result = run(forum_with_alice, "copy", "sqlite:///data/forum.db", "sqlite:///other.db")
    assert (result.returncode, "users" in result.stderr, "\x1b" in result.stderr) == (
        0,
        True,
        False,
    )


@pytest.mark.parametrize("path", ["nowhere/copy.db", "data/forum.db/copy.db", "/proc/copy.db"])
def test_a_backup_that_cannot_be_written_names_its_path(forum_with_alice: Path, path: str) -> None:
    result = run(forum_with_alice, "backup", path)
    assert (result.returncode, f"Error: {path} cannot be written" in result.stderr) == (1, True)
