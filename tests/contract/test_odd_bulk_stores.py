"""Rows that cannot be moved. In memory there can be none."""

import pytest

from forum.domain.model import Account, Article, Author, Counts, LastIds, Session, User
from forum.domain.moving.copying import UnreadableRow
from tests.contract.conftest import DAY, NOW, Store
from tests.support.odd_rows import allow_null, spoil

ON_SQL = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)

ALICE = Account(User(3, "alice#1", NOW), "hash of alice#1")
BOB = Account(User(7, "bobby#2", NOW), "hash of bobby#2")
FIRST = Article(5, "First", "The first text", NOW, Author(3, "alice#1"))
SECOND = Article(9, "Second", "The second text", NOW, Author(7, "bobby#2"))
SESSION = Session(31, NOW, NOW, NOW + DAY)

Place = tuple[str, object, str | None]


@pytest.fixture
def filled(store: Store) -> Store:
    with store.bulk.exclusive():
        store.bulk.add_accounts([ALICE, BOB])
        store.bulk.add_articles([FIRST, SECOND])
        store.bulk.add_sessions([(3, SESSION)])
        store.bulk.raise_last_ids(LastIds(7, 9, 31))
    return store


def refusal(store: Store) -> Place:
    """Which row, and which column, ends the reading of everything."""

    def read() -> None:
        bulk = store.bulk
        for items in (bulk.accounts(), bulk.articles(), bulk.sessions()):
            list(items)
        bulk.last_ids()

    with pytest.raises(UnreadableRow) as caught, store.bulk.snapshot():
        read()
    return caught.value.table, caught.value.id, caught.value.column


def test_everything_is_counted(filled: Store) -> None:
    assert filled.bulk.counts() == Counts(2, 2, 1)


@ON_SQL
@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("UPDATE articles SET user_id = 99 WHERE id = 9", ("articles", 9, "user_id")),
        ("UPDATE sessions SET user_id = 99", ("sessions", 31, "user_id")),
        ("UPDATE users SET id = 0 WHERE id = 7", ("users", 0, "id")),
        ("UPDATE articles SET id = -5 WHERE id = 9", ("articles", -5, "id")),
        ("UPDATE sessions SET id = -9223372036854775807", ("sessions", -(2**63) + 1, "id")),
    ],
)
def test_a_row_that_belongs_nowhere_is_refused(
    filled: Store, database_url: str, sql: str, place: Place
) -> None:
    spoil(database_url, sql)
    assert refusal(filled) == place


@ON_SQLITE
@pytest.mark.parametrize(
    "date",
    [
        "'yesterday'",
        "''",
        "X'00'",
        "20200202",
        "2.5",
        "'2020-02-02'",
        "'2020-02-02 00:17:49.735642'",
        "'2020-02-02T00:17:49'",
        "'2020-02-30T00:17:49.735642'",
        "'2020-02-02T00:17:49.73564Z'",
        "CAST(X'FF' AS TEXT)",
        "NULL",
    ],
)
@pytest.mark.parametrize(
    ("table", "id", "column"),
    [
        ("users", 7, "date_registered"),
        ("articles", 9, "date_posted"),
        ("sessions", 31, "created"),
        ("sessions", 31, "last_used"),
        ("sessions", 31, "expires"),
    ],
)
def test_a_date_that_is_none_is_refused(
    filled: Store, database_url: str, table: str, id: int, column: str, date: str
) -> None:
    if date == "NULL":
        allow_null(database_url)
    spoil(database_url, f"UPDATE {table} SET {column} = {date} WHERE id = {id}")
    assert refusal(filled) == (table, id, None if "FF" in date else column)


@ON_POSTGRES
@pytest.mark.parametrize("date", ["infinity", "-infinity", "10000-01-01", "0044-03-15 BC"])
@pytest.mark.parametrize(
    ("table", "id", "column"),
    [
        ("users", 7, "date_registered"),
        ("articles", 9, "date_posted"),
        ("sessions", 31, "expires"),
    ],
)
def test_a_date_that_python_lacks_is_refused(
    filled: Store, database_url: str, table: str, id: int, column: str, date: str
) -> None:
    spoil(database_url, f"UPDATE {table} SET {column} = '{date}' WHERE id = {id}")
    assert refusal(filled) == (table, id, None)


@ON_SQLITE
@pytest.mark.parametrize("value", ["X'41'", "char(65, 0, 66)", "CAST(X'FF' AS TEXT)", "NULL"])
@pytest.mark.parametrize(
    ("table", "id", "column"),
    [
        ("users", 7, "username"),
        ("users", 7, "password_hash"),
        ("articles", 9, "title"),
        ("articles", 9, "text"),
    ],
)
def test_a_text_that_is_none_is_refused(
    filled: Store, database_url: str, table: str, id: int, column: str, value: str
) -> None:
    if value == "NULL":
        allow_null(database_url)
    spoil(database_url, f"UPDATE {table} SET {column} = {value} WHERE id = {id}")
    assert refusal(filled) == (table, id, None if "FF" in value else column)


@ON_SQLITE
@pytest.mark.parametrize("value", ["7", "-1", "0.5", "'yes'", "X'01'"])
def test_a_user_is_disabled_or_not(filled: Store, database_url: str, value: str) -> None:
    spoil(database_url, f"UPDATE users SET is_disabled = {value} WHERE id = 7")
    assert refusal(filled) == ("users", 7, "is_disabled")


@ON_SQL
def test_a_name_that_two_users_have_is_refused(filled: Store, database_url: str) -> None:
    spoil(database_url, "DROP INDEX user_username")
    spoil(database_url, "UPDATE users SET username = 'alice#1'")
    assert refusal(filled) == ("users", 7, "username")


@ON_SQLITE
@pytest.mark.parametrize("value", ["'many'", "NULL", "X'01'"])
def test_a_last_id_that_is_no_number_is_refused(
    filled: Store, database_url: str, value: str
) -> None:
    spoil(database_url, f"UPDATE sqlite_sequence SET seq = {value} WHERE name = 'articles'")
    assert refusal(filled) == ("sqlite_sequence", "articles", None)
