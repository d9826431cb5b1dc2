"""What the stores promise beyond their ports: indexes, durability, migrations."""

import importlib
import pkgutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import apsw
import psycopg
import pytest
from psycopg.sql import SQL

from forum.adapters import sql
from forum.adapters.sql import migrations
from forum.adapters.sql.articles import LATEST, LATEST_BY, SqlArticles
from forum.adapters.sql.migrations import SchemaTooNew, migrate, status
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.postgres import PostgresDatabase
from forum.adapters.sql.rate_limits import SqlRateCounters
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.statements import Statement
from forum.adapters.sql.users import FIND, SqlUsers
from forum.database_url import parse_database_url
from forum.domain.errors import Unavailable, UsernameTaken
from forum.domain.model import Author, Draft, Position, Quota
from forum.environment import BadSetting
from tests.support.clusters import Cluster
from tests.support.servers import environment
from tests.support.stores import open_database

NOW = datetime(2020, 2, 2, tzinfo=UTC)
ODD_PASSWORD = "p@ss:w/rd?&%#[ ]'\"é"

ADD = "migrator.add_column('articles', 'karma', IntegerField(default=0))"
UNDONE = [
    f"from peewee import *\ndef up(migrator, db):\n    {ADD}\n",
    f"from peewee import *\ndef up(migrator, db):\n    return [{ADD}]\n",
    f"from peewee import *\ndef up(migrator, db):\n    yield {ADD}\n",
    f"from peewee import *\nasync def up(migrator, db):\n    migrator.migrate({ADD})\n",
    (
        f"from peewee import *\ndef up(migrator, db):\n    migrator.migrate({ADD})\n"
        "    migrator.drop_column('articles', 'karma')\n"
    ),
    "def upgrade(migrator, db):\n    pass\n",
]
"""Versions that Peewee's runner would record, but for the last, with their work undone."""
DONE = (
    "from peewee import *\nfrom playhouse.migrate import migrate\ndef up(migrator, db):\n"
    f"    migrator.migrate({ADD})\n    migrate(migrator.add_index('articles', ('karma',)))\n"
)

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
ON_BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database(database_url: str) -> Iterator[PeeweeDatabase]:
    """One without tables."""
    file = parse_database_url(database_url).file
    if file:
        file.unlink()
    database = open_database(database_url, timeout=0.5)
    database.create()
    yield database
    database.close()


@pytest.fixture
def migrated(database: PeeweeDatabase) -> PeeweeDatabase:
    migrate(database)
    return database


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts for that of the versions, with the first of them."""
    folder = tmp_path / "versions"
    folder.mkdir()
    first = Path(migrations.__file__).with_name("0001_users_and_articles.py")
    (folder / first.name).write_text(first.read_text())
    monkeypatch.setattr(migrations, "__file__", str(folder / "__init__.py"))
    return folder


def statements() -> dict[str, Statement]:
    """Every statement of the package, by its name."""
    modules = [
        importlib.import_module(name)
        for _, name, is_package in pkgutil.walk_packages(sql.__path__, f"{sql.__name__}.")
        if not is_package
    ]
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Statement)
    }


WHOLE_TABLES = {
    "users.FIND_ALL",
    "audit.LATEST",
    *(
        f"bulk_statements.COUNT_{each}"
        for each in ("ACCOUNTS", "ARTICLES", "SESSIONS", "AUDIT_ENTRIES")
    ),
}
"""What operators ask for, who want all rows."""


def test_every_statement_has_a_name() -> None:
    assert set(statements().values()) == set(Statement.all)


@ON_SQLITE
def test_no_statement_of_a_request_scans_a_table_or_sorts_rows(migrated: SqliteDatabase) -> None:
    bad = []
    for name, statement in statements().items():
        if name.removeprefix(f"{sql.__name__}.") in WHOLE_TABLES:
            continue
        text = statement.rendered_for(migrated.peewee).sql
        plan = migrated.query(f"EXPLAIN QUERY PLAN {text}", [1] * text.count("?"))
        bad += [
            (name, step)
            for *_, step in plan
            if "TEMP B-TREE" in step or ("SCAN" in step and "USING COVERING INDEX" not in step)
        ]
    assert bad == []


@ON_SQLITE
def test_no_statement_is_planned_anew_for_other_values(migrated: SqliteDatabase) -> None:
    plans: list[int] = []
    migrated.peewee.connection().set_authorizer(lambda *_: plans.append(1) or apsw.SQLITE_OK)
    articles = SqlArticles(migrated)
    for id in (1, 2):
        planned = len(plans)
        articles.older_by(id, Position(NOW, id), 11)
    assert 0 < planned == len(plans)


@ON_BOTH
def test_a_transaction_inside_another_takes_back_its_own_writes_alone(
    migrated: PeeweeDatabase,
) -> None:
    users = SqlUsers(migrated)
    with migrated.transaction():
        users.add("alice#1", "a hash", NOW)
        with suppress(ZeroDivisionError), migrated.transaction():
            users.add("bobby#2", "a hash", NOW)
            raise ZeroDivisionError
        users.add("carol#3", "a hash", NOW)
    assert [each.user.username for each in users.find_all()] == ["alice#1", "carol#3"]


@ON_BOTH
def test_a_refused_write_inside_a_transaction_takes_back_nothing_else(
    migrated: PeeweeDatabase,
) -> None:
    users = SqlUsers(migrated)
    with migrated.transaction():
        users.add("alice#1", "a hash", NOW)
        with pytest.raises(UsernameTaken), migrated.transaction():
            users.add("alice#1", "a hash", NOW)
        users.add("bobby#2", "a hash", NOW)
    assert [each.user.username for each in users.find_all()] == ["alice#1", "bobby#2"]


@pytest.mark.parametrize("parameters", [{}, {"id": 1, "name": "alice#1"}, {"name": "alice#1"}])
@ON_BOTH
def test_wrong_parameters_are_refused(
    migrated: PeeweeDatabase, parameters: dict[str, object]
) -> None:
    with pytest.raises((TypeError, KeyError)):
        migrated.read(FIND, **parameters)


@ON_BOTH
def test_counters_that_are_over_are_cleared_away(migrated: PeeweeDatabase) -> None:
    counters, minute = SqlRateCounters(migrated), timedelta(minutes=1)
    for number in range(15):
        counters.acquire([Quota(f"key {number}", 3, minute)], NOW)
    for number in (1, 2):
        counters.acquire([Quota("last", 3, minute)], NOW + number * minute)
    assert migrated.query("SELECT key FROM counters") == [("last",)]


@ON_POSTGRES
def test_every_list_walks_an_index(migrated: PostgresDatabase) -> None:
    users, articles = SqlUsers(migrated), SqlArticles(migrated)
    with migrated.exclusive():
        authors = [users.add(f"user-{number}", "a hash", NOW) for number in range(500)]
        for number in range(5000):
            author = authors[number % 5]
            moment = NOW + timedelta(seconds=number)
            articles.add(Author(author.id, author.username), Draft("A title", "A text"), moment)
    migrated.query("ANALYZE")
    for statement, parameters in ((LATEST, [20, 11]), (LATEST_BY, [3, 3, 5, 11])):
        text = statement.rendered_for(migrated.peewee).sql
        plan = "\n".join(row[0] for row in migrated.query(f"EXPLAIN {text}", parameters))
        assert ("Seq Scan" in plan, "Sort" in plan) == (False, False), plan


@ON_SQLITE
@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_every_connection_is_safe(migrated: SqliteDatabase, pragma: str, value: object) -> None:
    values = [migrated.peewee.pragma(pragma)]

    def look() -> None:
        values.append(migrated.peewee.pragma(pragma))

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert values == [value, value]


@ON_SQLITE
def test_each_thread_has_a_connection_of_its_own(migrated: SqliteDatabase) -> None:
    connections = [migrated.peewee.connection()]
    thread = Thread(target=lambda: connections.append(migrated.peewee.connection()))
    thread.start()
    thread.join()
    assert connections[0] is not connections[1]


@ON_SQLITE
def test_the_file_is_readable_by_its_owner_alone(migrated: SqliteDatabase) -> None:
    assert stat.S_IMODE(migrated.path.stat().st_mode) == 0o600


@ON_SQLITE
def test_keys_are_never_used_again(migrated: SqliteDatabase) -> None:
    rows = migrated.query("SELECT sql FROM sqlite_schema WHERE name IN ('users', 'articles')")
    assert ["AUTOINCREMENT" in sql for (sql,) in rows] == [True, True]


@ON_BOTH
def test_an_answered_write_is_seen_by_everybody(
    migrated: PeeweeDatabase, database_url: str
) -> None:
    user = SqlUsers(migrated).add("alice#1", "a hash", NOW)
    other = open_database(database_url, timeout=1)
    assert SqlUsers(other).find(user.id) == user
    other.close()


@pytest.fixture
def guest_url(database_url: str, cluster: Cluster) -> str:
    """The URL for a role that needs this password, which is yet to be put in."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE guest LOGIN PASSWORD {}").format(ODD_PASSWORD))
    cluster.require_password("guest")
    return database_url.replace("forum@", "guest:{}@")


@ON_POSTGRES
def test_a_password_of_special_characters_works(guest_url: str) -> None:
    database = open_database(guest_url.format(quote(ODD_PASSWORD, safe="")), timeout=2)
    assert database.query("SELECT 1") == [(1,)]
    database.close()
    stranger = open_database(guest_url.format("another"), timeout=2)
    with pytest.raises(Unavailable):
        stranger.query("SELECT 1")


@ON_POSTGRES
def test_what_the_url_sets_is_set(database_url: str) -> None:
    url = f"{database_url}?options=-c%20statement_timeout%3D1234"
    with closing(open_database(url, timeout=2)) as database:
        settings = ("statement_timeout", "plan_cache_mode")
        shown = [database.query(f"SHOW {name}")[0][0] for name in settings]
    assert shown == ["1234ms", "force_generic_plan"]


def test_an_old_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(BadSetting, match="too old"):
        open_database(f"sqlite:///{tmp_path}/forum.db", timeout=1)


@ON_SQLITE
class TestTrouble:
    """A file that cannot be written for a while."""

    def test_a_locked_database_is_unavailable_and_then_works(
        self, migrated: SqliteDatabase
    ) -> None:
        users = SqlUsers(migrated)
        with closing(apsw.Connection(str(migrated.path))) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                users.add("alice#1", "a hash", NOW)
        assert users.add("alice#1", "a hash", NOW).id == 1

    def test_a_full_database_is_unavailable_and_then_works(self, migrated: SqliteDatabase) -> None:
        users = SqlUsers(migrated)
        migrated.peewee.pragma("max_page_count", migrated.peewee.pragma("page_count"))
        with pytest.raises(Unavailable):
            users.add("alice#1", "x" * 100_000, NOW)
        migrated.peewee.pragma("max_page_count", 10**6)
        assert users.add("alice#1", "x" * 100_000, NOW).id == 1

    def test_a_read_only_database_is_unavailable_for_writes_alone(
        self, migrated: SqliteDatabase
    ) -> None:
        users = SqlUsers(migrated)
        migrated.peewee.pragma("query_only", 1)
        with pytest.raises(Unavailable):
            users.add("alice#1", "a hash", NOW)
        assert users.find(1) is None


@ON_BOTH
class TestMigrations:
    """The same files on both databases."""

    def test_all_versions_are_applied_once(self, database: PeeweeDatabase) -> None:
        names = [each.name for each in status(database)]
        assert (migrate(database), migrate(database)) == (names, [])

    def test_every_earlier_version_comes_up_to_date(self, database: PeeweeDatabase) -> None:
        for version in status(database):
            migrate(database, version.number)
        assert all(each.applied for each in status(database))

    def test_data_of_the_first_version_are_kept(self, database: PeeweeDatabase) -> None:
        migrate(database, 1)
        user = SqlUsers(database).add("alice#1", "a hash", NOW)
        migrate(database)
        account = SqlUsers(database).find_account("alice#1")
        assert account
        assert (account.user, account.is_disabled) == (user, False)

    def test_a_newer_schema_is_refused_and_left_alone(self, migrated: PeeweeDatabase) -> None:
        mark = migrated.peewee.param
        insert = f"INSERT INTO schema_migration (name, applied) VALUES ({mark}, {mark})"
        migrated.query(insert, ["9999_future", migrated.to_stored(NOW)])
        migrated.query("UPDATE schema_compatibility SET oldest = 9999")
        with pytest.raises(SchemaTooNew):
            migrate(migrated)

    def test_a_version_that_fails_leaves_the_schema_as_it_was(
        self, database: PeeweeDatabase, versions: Path
    ) -> None:
        (versions / "0002_broken.py").write_text(
            "OLDEST = 2\ndef up(migrator, db):\n    db.execute_sql('DROP TABLE articles')\n"
            "    raise ZeroDivisionError\n"
        )
        migrate(database, 1)
        with pytest.raises(ZeroDivisionError):
            migrate(database)
        assert [bool(each.applied) for each in status(database)] == [True, False]
        assert SqlArticles(database).latest(0, 1) == []

    @pytest.mark.parametrize("text", UNDONE)
    def test_a_version_that_leaves_its_work_undone_is_not_recorded(
        self, database: PeeweeDatabase, versions: Path, text: str
    ) -> None:
        (versions / "0002_undone.py").write_text(f"OLDEST = 2\n{text}")
        with pytest.raises(Exception, match="0002_undone"):
            migrate(database)
        assert [bool(each.applied) for each in status(database)] == [False, False]

    def test_a_version_that_works_through_the_migrator_is_applied(
        self, database: PeeweeDatabase, versions: Path
    ) -> None:
        (versions / "0002_done.py").write_text(f"OLDEST = 2\n{DONE}")
        migrate(database)
        database.query(
            "INSERT INTO articles (user_id, date_posted, title, text, karma) "
            "SELECT id, date_registered, '', '', 7 FROM users RETURNING id"
        )
        assert [bool(each.applied) for each in status(database)] == [True, True]

    def test_a_version_may_give_a_default_text(
        self, database: PeeweeDatabase, versions: Path
    ) -> None:
        column = "\"mood\" TEXT NOT NULL DEFAULT 'good'"
        sql = f"ALTER TABLE articles ADD COLUMN {column}"
        (versions / "0002_mood.py").write_text(
            f"OLDEST = 2\ndef up(migrator, db):\n    db.execute_sql({sql!r})\n"
        )
        migrate(database)
        assert [bool(each.applied) for each in status(database)] == [True, True]

    @pytest.mark.usefixtures("database")
    def test_many_processes_at_once_migrate_once(self, database_url: str, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "forum", "migrate"]
        processes = [
            subprocess.Popen(
                command,
                cwd=tmp_path,
                env=environment(DATABASE_URL=database_url),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(6)
        ]
        outputs = [process.communicate(timeout=60)[0] for process in processes]
        failed = [
            each for each, process in zip(outputs, processes, strict=True) if process.returncode
        ]
        assert failed == []
        assert sum("applied 0001" in output for output in outputs) == 1


MAKE_TOGETHER = """
import multiprocessing, pathlib
from forum.adapters.sql.sqlite import SqliteDatabase

def make(path, start):
    start.wait()
    SqliteDatabase(path, 5).create()

fork = multiprocessing.get_context("fork")
codes = set()
for number in range(20):
    start = fork.Barrier(6)
    path = pathlib.Path(f"{number}.db")
    together = [fork.Process(target=make, args=(path, start)) for _ in range(6)]
    for each in together:
        each.start()
    for each in together:
        each.join()
        codes.add(each.exitcode)
print(codes)
"""


def test_many_processes_at_once_make_one_file(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", MAKE_TOGETHER],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (result.stdout, result.stderr) == ("{0}\n", "")


def test_many_processes_at_once_make_one_secret(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path;"
        "from forum.adapters.secret_file import load_secrets, make_secret;"
        "path = Path('data/secret.key'); make_secret(path); print(load_secrets(path))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    assert len({process.communicate(timeout=30)[0] for process in processes}) == 1


class TestVersion:
    """What tells whether anything was committed."""

    @pytest.fixture
    def other(self, database_url: str, migrated: PeeweeDatabase) -> Iterator[PeeweeDatabase]:
        """The same database as another process has it."""
        other = open_database(database_url, timeout=0.5)
        yield other
        other.close()

    @ON_SQLITE
    def test_it_is_another_one_after_each_commit_elsewhere(
        self, migrated: PeeweeDatabase, other: PeeweeDatabase
    ) -> None:
        versions = [migrated.version()]
        for name in ("alice#1", "bobby#2", "carol#3"):
            SqlUsers(other).add(name, "a hash", NOW)
            versions.append(migrated.version())
        assert len(set(versions)) == 4

    @ON_SQLITE
    def test_it_stays_while_others_read_or_take_back(
        self, migrated: PeeweeDatabase, other: PeeweeDatabase
    ) -> None:
        before = migrated.version()
        SqlUsers(other).find_account("alice#1")
        with suppress(ZeroDivisionError), other.transaction():
            SqlUsers(other).add("alice#1", "a hash", NOW)
            raise ZeroDivisionError
        assert migrated.version() == before

    @ON_SQLITE
    def test_a_new_connection_has_a_new_one(self, migrated: PeeweeDatabase) -> None:
        before = migrated.version()
        migrated.peewee.close()
        assert migrated.version() != before

    @ON_SQLITE
    def test_there_is_none_without_the_file(self, database: PeeweeDatabase) -> None:
        assert isinstance(database, SqliteDatabase)
        database.close()
        database.path.unlink()
        assert database.version() is None

    @ON_POSTGRES
    def test_postgresql_has_none(self, migrated: PeeweeDatabase) -> None:
        assert migrated.version() is None


@ON_POSTGRES
class TestRelaxed:
    """Commits on PostgreSQL that wait for no disk."""

    def test_they_are_so_until_the_end_of_the_block(self, migrated: PeeweeDatabase) -> None:
        seen = ["SHOW synchronous_commit"] * 2
        with migrated.relaxed():
            seen[0] = migrated.query(seen[0])[0][0]
        assert [seen[0], migrated.query(seen[1])[0][0]] == ["off", "on"]

    def test_within_a_transaction_they_are_as_durable_as_that(
        self, migrated: PeeweeDatabase
    ) -> None:
        with migrated.transaction(), migrated.relaxed():
            assert migrated.query("SHOW synchronous_commit") == [("on",)]

    def test_what_fails_inside_takes_back_what_was_written(self, migrated: PeeweeDatabase) -> None:
        users = SqlUsers(migrated)

        def fail() -> None:
            with migrated.relaxed():
                users.add("alice#1", "a hash", NOW)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert users.find_account("alice#1") is None
