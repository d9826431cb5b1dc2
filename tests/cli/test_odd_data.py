"""What commands do with odd data, and with odd words on the command line."""

import os
import re
from pathlib import Path

import pytest
from click.testing import Result

from forum.adapters.sql.migrations import migrate
from forum.domain.model import Counts, Draft
from tests.cli.conftest import NewUrl, invoke
from tests.contract.conftest import DAY, NOW, Store, sql_store
from tests.support.odd_rows import spoil
from tests.support.stores import open_database

KINDS = ["sqlite", "postgres"]

ODD_ROWS = [
    ("UPDATE articles SET user_id = 99 WHERE id = 1", "articles", 1),
    ("UPDATE sessions SET user_id = 99 WHERE id = 1", "sessions", 1),
    ("UPDATE articles SET date_posted = 'yesterday' WHERE id = 1", "articles", 1),
    ("UPDATE users SET date_registered = X'00' WHERE id = 2", "users", 2),
    ("UPDATE sessions SET expires = 20200202 WHERE id = 1", "sessions", 1),
    ("UPDATE articles SET title = X'41' WHERE id = 1", "articles", 1),
    ("UPDATE articles SET text = CAST(X'FF' AS TEXT) WHERE id = 1", "articles", 1),
    ("UPDATE users SET id = 0 WHERE id = 2", "users", 0),
    ("UPDATE users SET is_disabled = 7 WHERE id = 2", "users", 2),
    ("UPDATE sqlite_sequence SET seq = 'many' WHERE name = 'users'", "sqlite_sequence", "users"),
]


def run(*arguments: str, url: str = "sqlite:///forum.db") -> Result:
    return invoke(arguments, {"FORUM_DATABASE_URL": url})


def fill(store: Store) -> None:
    account, other = store.account("alice#1"), store.author("bobby#2")
    store.sessions.begin(account, NOW, NOW + DAY)
    store.articles.add(other, Draft("A title", "A text"), NOW)


@pytest.fixture
def source(folder: Path) -> str:
    """The URL of a database of two users, with a session of one and an article of the other."""
    url = f"sqlite:///{folder}/forum.db"
    database = open_database(url, timeout=5)
    database.create()
    migrate(database)
    fill(sql_store(database))
    database.close()
    return url


def counts(url: str) -> Counts:
    database = open_database(url, timeout=5)
    try:
        return sql_store(database).bulk.counts()
    finally:
        database.close()


def complaints(result: Result) -> list[str]:
    """What a command said on standard error, but for the labels of the progress."""
    return [line for line in result.stderr.splitlines() if not re.fullmatch(r"\w+ +", line)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("sql", "table", "id"), ODD_ROWS)
def test_a_row_that_cannot_be_copied_is_named_in_one_line(
    new_url: NewUrl, source: str, kind: str, sql: str, table: str, id: object
) -> None:
    spoil(source, sql)
    result = run("copy", source, new_url(kind))
    assert (result.exit_code, result.stdout, len(complaints(result))) == (1, "", 1)
    expected = rf"Error: .*the row of {table} with the id {id!r} cannot be copied: .*"
    assert re.fullmatch(expected, complaints(result)[0])


@pytest.mark.parametrize(("sql", "table", "id"), ODD_ROWS)
def test_a_copy_that_fails_leaves_no_file(
    folder: Path, new_url: NewUrl, source: str, sql: str, table: str, id: object
) -> None:
    spoil(source, sql)
    before = set(folder.iterdir())
    run("copy", source, new_url("sqlite"))
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("sql", "table", "id"), ODD_ROWS)
def test_a_copy_that_fails_keeps_nothing_in_a_target_that_is_there(
    new_url: NewUrl, source: str, kind: str, sql: str, table: str, id: object
) -> None:
    target = new_url(kind)
    run("migrate", url=target)
    spoil(source, sql)
    run("copy", source, target)
    assert counts(target) == Counts(0, 0, 0)


def test_a_date_that_python_lacks_is_named_in_one_line(new_url: NewUrl, source: str) -> None:
    middle = new_url("postgres")
    run("copy", source, middle)
    spoil(middle, "UPDATE articles SET date_posted = 'infinity'")
    result = run("copy", middle, new_url("sqlite"))
    assert (result.exit_code, complaints(result)) == (
        1,
        ["Error: the row of articles with the id 1 cannot be copied: nothing was kept"],
    )


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT"
USERS = "CREATE TABLE user (id INTEGER PRIMARY KEY, username, password, date_registered);"
ARTICLES = "CREATE TABLE article (id INTEGER PRIMARY KEY, title, text, date_posted, user_id);"


@pytest.mark.parametrize(
    "schema",
    [
        (
            f"{ARTICLES} CREATE VIEW user AS {ENDLESS} "
            "i id, i username, i password, i date_registered FROM n"
        ),
        (
            f"{USERS} CREATE VIEW article AS {ENDLESS} "
            "i id, i title, i text, i date_posted, i user_id FROM n"
        ),
        f"{USERS} CREATE VIRTUAL TABLE article USING fts5(id, title, text, date_posted, user_id)",
        f"{ARTICLES} {USERS.replace('password', 'password AS (username)')}",
        f"{USERS} {ARTICLES.replace('text', 'text AS (title) STORED')}",
        f"{ARTICLES} CREATE VIEW pragma_table_list AS {ENDLESS} i FROM n",
    ],
    ids=["users", "articles", "virtual", "computed", "stored", "shadow"],
)
def test_an_old_database_that_is_a_program_is_refused(folder: Path, schema: str) -> None:
    spoil(f"sqlite:///{folder}/old.sqlite", schema)
    result = run("import-flaskapi", "old.sqlite", url="sqlite:///new.db")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert result.stderr.startswith("Error: this is not the database of the Flask program: it")


def test_a_trigger_of_the_old_database_changes_nothing(folder: Path) -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON user BEGIN DELETE FROM article; END"
    spoil(f"sqlite:///{folder}/old.sqlite", f"{USERS} {ARTICLES} {trigger}")
    result = run("import-flaskapi", "old.sqlite", url="sqlite:///new.db")
    assert result.stdout == "0 users and 0 articles imported; 0 warnings\n"


def test_a_pipe_is_no_old_database(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    result = run("import-flaskapi", "pipe", url="sqlite:///new.db")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: this is not the database of the Flask program: it is no file\n",
    )


def test_ids_that_leave_no_room_are_told_and_others_register(folder: Path) -> None:
    rows = "INSERT INTO user VALUES (9223372036854775807, 'alice#1', 'Password#1', '2020-02-02')"
    spoil(f"sqlite:///{folder}/old.sqlite", f"{USERS} {ARTICLES} {rows}")
    url = f"sqlite:///{folder}/new.db"
    assert "leaves no room" in run("import-flaskapi", "old.sqlite", url=url).stdout
    database = open_database(url, timeout=5)
    assert sql_store(database).author().id == 1
    database.close()


def test_ids_that_are_no_numbers_are_told_without_control_characters(folder: Path) -> None:
    users = USERS.replace("INTEGER PRIMARY KEY", "TEXT")
    rows = "INSERT INTO user VALUES (CAST(X'1B5B324AFF' AS TEXT), 'alice#1', 'Password#1', '2020')"
    spoil(f"sqlite:///{folder}/old.sqlite", f"{users} {ARTICLES} {rows}")
    result = run("import-flaskapi", "old.sqlite", url="sqlite:///new.db")
    assert (result.exit_code, "\x1b" in result.stdout) == (0, False)
    assert result.stdout.startswith("user b'\\x1b[2J\\xff' ('alice#1') was not imported: ")
