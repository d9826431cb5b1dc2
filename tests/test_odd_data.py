"""What commands do with odd data, and with odd words on the command line."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forum.adapters.databases import open_database
from forum.adapters.migrations import migrate
from forum.cli import main
from forum.domain.model import Counts
from tests.contract.conftest import DAY, NOW, Store, sql_store
from tests.odd_rows import spoil

NewUrl = Callable[[str], str]

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


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run, without settings from elsewhere."""
    for name in [name for name in os.environ if name.startswith("FORUM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def new_url(request: pytest.FixtureRequest, folder: Path) -> NewUrl:
    """The URL of a store that is not there yet, or empty."""

    def make(kind: str) -> str:
        if kind == "postgres":
            new_postgres: Callable[[], str] = request.getfixturevalue("new_postgres")
            return new_postgres()
        return f"sqlite:///{folder}/new.db"

    return make


def run(*arguments: str, url: str = "sqlite:///forum.db") -> Result:
    return CliRunner().invoke(main, arguments, env={"FORUM_DATABASE_URL": url})


def fill(store: Store) -> None:
    account, other = store.account("alice#1"), store.author("bobby#2")
    store.sessions.begin(account, NOW, NOW + DAY)
    store.articles.add(other, "A title", "A text", NOW)


@pytest.fixture
def source(folder: Path) -> str:
    """The URL of a database of two users, with a session of the first and an article of the second."""
    url = f"sqlite:///{folder}/forum.db"
    database = open_database(url, timeout=5)
    database.create()
    migrate(database)
    fill(sql_store(database))
    database.release()
    return url


def counts(url: str) -> Counts:
    database = open_database(url, timeout=5)
    try:
        return sql_store(database).archive.counts()
    finally:
        database.release()


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
