"""Databases whose tables are not those that our migrations make, on both kinds."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw
import psycopg
import pytest

from forum.environment import BadSetting
from forum.storage import prepare
from tests.cli.conftest import NewUrl
from tests.cli.test_moving import (
    KINDS,
    assert_refused,
    files,
    fill,
    old_file,
    run,
    settings,
)

__all__ = ["old_file"]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, new_url: NewUrl) -> str:
    """An empty database."""
    return new_url(request.param)


def execute(url: str, sql: str) -> None:
    if url.startswith("sqlite"):
        with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as connection:
            connection.execute(sql)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(sql)


def state(url: str) -> object:
    """All that a refusal must leave as it was."""
    if url.startswith("sqlite"):
        return files(Path.cwd())
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT relname, relkind FROM pg_class ORDER BY oid").fetchall()
        return tables, files(Path.cwd())


FOREIGN = [
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE sessions (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE things (id INTEGER); CREATE VIEW articles AS SELECT * FROM things",
    "CREATE TABLE schema_migration (version INTEGER)",
]

COMMANDS = [
    ["migrate"],
    ["migrate", "1"],
    ["migrate", "--status"],
    ["copy", "sqlite:///source.db", "URL"],
    ["copy", "URL", "sqlite:///target.db"],
    ["import-flaskapi", "old.sqlite"],
    ["user", "list"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("sql", FOREIGN)
def test_the_tables_of_another_program_are_refused_and_left_alone(
    old_file: Path, url: str, sql: str, command: list[str]
) -> None:
    fill("sqlite:///source.db")
    execute(url, sql)
    before = state(url)
    assert_refused(run(*(url if each == "URL" else each for each in command), url=url))
    assert state(url) == before


@pytest.mark.parametrize("kind", KINDS)
def test_the_refusal_says_what_is_foreign(new_url: NewUrl, kind: str) -> None:
    url = new_url(kind)
    execute(url, FOREIGN[0])
    assert run("migrate", url=url).stderr == (
        "Error: the database has a table users that no version recorded in it makes: "
        "nothing was changed\n"
    )


CHANGED = [
    ("DROP TABLE sessions", "no table sessions"),
    ("ALTER TABLE articles DROP COLUMN text", "no column text in the table articles"),
    ("ALTER TABLE users ADD COLUMN age INTEGER", "foreign column age in the table users"),
    ("DROP INDEX user_username", "no index user_username in the table users"),
    ("CREATE UNIQUE INDEX once ON articles (title)", "foreign index once in the table articles"),
    ("DELETE FROM schema_migration", "that no version recorded in it makes"),
    ("DROP TABLE schema_migration", "that no version recorded in it makes"),
]


@pytest.mark.parametrize(("sql", "sentence"), CHANGED)
def test_a_schema_that_is_not_the_recorded_one_is_refused_and_left_alone(
    url: str, sql: str, sentence: str
) -> None:
    run("migrate", url=url)
    execute(url, sql)
    before = state(url)
    result = run("migrate", url=url)
    assert_refused(result)
    assert sentence in result.stderr
    assert state(url) == before


POSTGRES_CHANGED = [
    ("ALTER TABLE users ALTER COLUMN id TYPE integer", "another column id"),
    ("ALTER TABLE users ALTER COLUMN id DROP DEFAULT", "another column id"),
    ("ALTER TABLE users ALTER COLUMN username DROP NOT NULL", "another column username"),
    ("ALTER TABLE users ALTER COLUMN username TYPE varchar(20)", "another column username"),
    ("ALTER TABLE articles DROP CONSTRAINT articles_user_id_fkey", "another column user_id"),
    ("ALTER TABLE users ADD CHECK (id < 5)", "foreign constraint"),
    ("ALTER TABLE sessions DROP CONSTRAINT sessions_pkey", "another column id"),
    ("CREATE INDEX odd ON articles (abs(id))", "foreign index odd"),
    (
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
            "CREATE TRIGGER spy BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        "foreign trigger spy",
    ),
    ("CREATE RULE spy AS ON INSERT TO users DO INSTEAD NOTHING", "foreign rule spy"),
]


@pytest.mark.parametrize(("sql", "sentence"), POSTGRES_CHANGED)
def test_a_table_that_was_changed_on_postgresql_is_refused(
    new_postgres: Callable[[], str], sql: str, sentence: str
) -> None:
    url = new_postgres()
    run("migrate", url=url)
    execute(url, sql)
    result = run("migrate", url=url)
    assert_refused(result)
    assert sentence in result.stderr


def test_further_tables_and_indexes_are_let_be(url: str) -> None:
    run("migrate", url=url)
    execute(url, "CREATE TABLE notes (note TEXT); CREATE INDEX faster ON articles (title)")
    assert run("migrate", url=url).exit_code == 0


def test_an_index_of_another_program_in_the_way_of_a_version_is_refused(url: str) -> None:
    run("migrate", "1", url=url)
    execute(url, "CREATE TABLE notes (note TEXT); CREATE INDEX session_expires ON notes (note)")
    before = state(url)
    assert_refused(run("migrate", url=url))
    if not url.startswith("sqlite"):
        assert state(url) == before


def test_versions_of_another_program_are_not_called_later_ones(url: str) -> None:
    execute(
        url,
        "CREATE TABLE schema_migration (id INTEGER NOT NULL PRIMARY KEY,"
        " name VARCHAR(255) NOT NULL, applied TIMESTAMP NOT NULL);"
        "INSERT INTO schema_migration VALUES (1, '0001_initial', '2020-02-02 00:00:00')",
    )
    assert "later version" not in run("migrate", url=url).stderr


@pytest.mark.parametrize("sql", FOREIGN)
def test_a_service_does_not_start_on_the_tables_of_another_program(url: str, sql: str) -> None:
    execute(url, sql)
    before = state(url)
    with pytest.raises(BadSetting):
        prepare(replace(settings(url), secret_key=None))
    assert state(url) == before


def test_a_database_that_is_open_elsewhere_is_checked_without_waiting(folder: Path) -> None:
    fill("sqlite:///forum.db")
    with closing(apsw.Connection("forum.db")) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert run("migrate", "--status", url="sqlite:///forum.db").exit_code == 0
