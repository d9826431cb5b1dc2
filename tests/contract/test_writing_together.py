"""SQLite files that several write to: in groups, in turn, and with counters that need no sync."""

import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from forum.adapters.sql.migrations import migrate
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.domain.errors import Unavailable
from forum.domain.model import Author, Draft, Quota
from forum.repositories import sql_repositories

NOW = datetime(2020, 2, 2, tzinfo=UTC)
DRAFT = Draft("A title", "A text")
ONCE = Quota("post 1", 1, timedelta(minutes=1))


class Process:
    """What one process knows of the database."""

    def __init__(self, path: Path, timeout: float = 5) -> None:
        self.database = SqliteDatabase(path, timeout)
        self.repositories = sql_repositories(self.database)

    @property
    def connection(self) -> apsw.Connection:
        connection: apsw.Connection = self.database.peewee.connection()
        return connection

    def post(self) -> int:
        """The id of a new article."""
        article = self.repositories.articles.add(Author(1, "alice#1"), DRAFT, NOW)
        assert article
        return article.id

    def posted(self) -> int:
        """How many articles there are."""
        return len(self.repositories.articles.latest(0, 100))

    def taken(self) -> bool:
        """Whether the quota was used up; if not, it is now."""
        return self.repositories.rate_counters.acquire([ONCE], NOW) is not None

    def post_interrupted(self) -> None:
        """Have SQLite end a statement in its midst, and take back all of the transaction."""
        self.connection.set_progress_handler(lambda: True, 1)
        with pytest.raises(Unavailable):
            self.post()
        self.connection.set_progress_handler(None)

    def post_until_it_is_full(self) -> None:
        """Write more than there is room for, in one group."""
        with self.database.together():
            for _ in range(100):
                self.post()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "forum.db"


@pytest.fixture
def here(path: Path) -> Iterator[Process]:
    process = Process(path)
    process.database.create()
    migrate(process.database)
    process.repositories.users.add("alice#1", "a hash", NOW)
    yield process
    process.database.close()


@pytest.fixture
def there(here: Process, path: Path) -> Iterator[Process]:
    process = Process(path, timeout=0.05)
    yield process
    process.database.close()


def test_a_group_is_seen_by_others_when_it_is_whole(here: Process, there: Process) -> None:
    with here.database.together():
        here.post(), here.post()
        assert there.posted() == 0
    assert there.posted() == 2


def test_another_thread_writes_into_a_group(here: Process, there: Process) -> None:
    def post(lent: AbstractContextManager[object]) -> tuple[int, int]:
        before = here.posted()
        with lent:
            here.post()
            within = here.posted()
        here.database.peewee.close()
        return before, within

    with here.database.together() as lent:
        here.post()
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(post, lent).result() == (0, 2)
        here.post()
        assert there.posted() == 0
    assert there.posted() == 3


def test_what_another_thread_is_lent_is_given_back_when_it_fails(here: Process) -> None:
    def fail(lent: AbstractContextManager[object]) -> None:
        with lent, here.database.transaction():
            here.post()
            raise ZeroDivisionError

    with here.database.together() as lent:
        here.post()
        with ThreadPoolExecutor(1) as thread, pytest.raises(ZeroDivisionError):
            thread.submit(fail, lent).result()
    assert here.posted() == 1


def test_what_fails_in_a_group_takes_back_its_own_transaction_alone(here: Process) -> None:
    def fail() -> None:
        with here.database.transaction():
            here.post()
            raise ZeroDivisionError

    with here.database.together():
        here.post()
        with pytest.raises(ZeroDivisionError):
            fail()
        here.post()
    assert here.posted() == 2


def test_a_refused_statement_leaves_the_group_as_it_was(here: Process) -> None:
    with here.database.together():
        here.post()
        assert here.repositories.articles.add(Author(99, "nobody#1"), DRAFT, NOW) is None
    assert here.posted() == 1


def test_counters_in_a_group_stay_exact(here: Process) -> None:
    with here.database.together():
        assert [here.taken(), here.taken(), here.taken()] == [False, True, True]
    assert here.taken()


def test_a_group_that_sqlite_takes_back_is_taken_back_as_a_whole(here: Process) -> None:
    def write() -> None:
        with here.database.together():
            here.post()
            here.post_interrupted()
            for write in (here.post, here.taken):  # They would be committed at once, one by one.
                with pytest.raises(Unavailable):
                    write()

    with pytest.raises(Unavailable):
        write()
    assert (here.posted(), here.taken()) == (0, False)


def test_a_transaction_that_sqlite_takes_back_is_unavailable(here: Process) -> None:
    def write() -> None:
        with here.database.transaction():
            here.post()
            here.post_interrupted()

    with pytest.raises(Unavailable):
        write()
    assert here.posted() == 0


def test_the_group_after_it_works(here: Process) -> None:
    with pytest.raises(Unavailable), here.database.together():
        here.post_interrupted()
    with here.database.together():
        here.post()
    assert here.posted() == 1


def test_a_full_disk_takes_back_the_group(here: Process) -> None:
    here.database.peewee.pragma("max_page_count", here.database.peewee.pragma("page_count"))
    with pytest.raises(Unavailable):
        here.post_until_it_is_full()
    here.database.peewee.pragma("max_page_count", 10**6)
    assert here.posted() == 0


def test_writers_wait_for_a_group_no_longer_than_they_may(here: Process, there: Process) -> None:
    gate_of(here)
    with here.database.together(), pytest.raises(Unavailable, match="others wrote for too long"):
        there.post()
    assert there.post() == 2


def test_a_thread_waits_in_the_queue_until_it_is_its_turn(here: Process, there: Process) -> None:
    is_through = threading.Event()

    def write() -> None:
        with there.database.together():
            is_through.set()
        there.database.peewee.close()

    with here.database.together():
        thread = threading.Thread(target=write)
        thread.start()
        assert not is_through.wait(0.2)  # longer than it waits for a lock of SQLite's
    thread.join()
    assert is_through.is_set()


def test_the_gate_is_open_again_when_the_lock_behind_it_could_not_be_taken(
    here: Process, there: Process, path: Path
) -> None:
    with closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable), there.database.together():
            pass
        other.execute("ROLLBACK")
    assert here.post() == 1


def test_programs_that_do_not_know_the_gate_are_waited_for(here: Process, path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.1, other.execute, ["ROLLBACK"])
    timer.start()
    with here.database.together():
        here.post()
    timer.join()
    other.close()
    assert here.posted() == 1


def gate_of(process: Process) -> Path:
    """The file for which writers queue, which those who write in groups make."""
    with process.database.together():
        process.post()
    return process.database.path.with_name("forum.db-gate")


def test_who_writes_alone_leaves_no_file(here: Process, path: Path) -> None:
    here.post()
    assert not path.with_name("forum.db-gate").exists()


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_whoever_may_write_to_the_database_may_pass_the_gate(
    here: Process, path: Path, mode: int
) -> None:
    path.chmod(mode)
    assert stat.S_IMODE(gate_of(here).stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_what_root_makes_belongs_to_the_owner_of_the_database(here: Process, path: Path) -> None:
    os.chown(path, 1234, 1235)
    gate = gate_of(here)
    assert (gate.stat().st_uid, gate.stat().st_gid) == (1234, 1235)


def test_a_gate_that_cannot_be_opened_is_unavailable(here: Process, path: Path) -> None:
    path.with_name("forum.db-gate").symlink_to(path / "nowhere")
    with pytest.raises(Unavailable, match=r"forum\.db-gate cannot be opened"):
        gate_of(here)


def synchronous(process: Process) -> int:
    """2 where a commit waits for the disk, 1 where it does not."""
    [(level,)] = process.database.query("PRAGMA synchronous")
    return int(level)


def test_what_is_relaxed_waits_for_no_disk(here: Process) -> None:
    with here.database.relaxed():
        assert synchronous(here) == 1
    assert synchronous(here) == 2


def test_what_fails_while_it_is_relaxed_is_followed_by_a_sync(here: Process) -> None:
    with pytest.raises(ZeroDivisionError), here.database.relaxed():
        raise ZeroDivisionError
    assert synchronous(here) == 2


def test_a_connection_that_cannot_be_tightened_again_is_not_used_again(
    here: Process, there: Process
) -> None:
    assert there.posted() == 0  # It keeps the log where it is.
    with here.database.relaxed():
        here.connection.set_authorizer(lambda *_: apsw.SQLITE_DENY)
    assert synchronous(here) == 2


def test_within_a_transaction_nothing_is_relaxed(here: Process) -> None:
    with here.database.transaction(), here.database.relaxed():
        assert synchronous(here) == 2
