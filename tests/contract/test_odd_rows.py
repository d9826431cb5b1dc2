"""Rows that cannot be read, met by requests. In memory there can be none."""

from datetime import timedelta

import apsw
import pytest

from forum.adapters.sql import rows
from forum.adapters.sql.articles import SqlArticles
from forum.domain.errors import Unavailable
from forum.domain.model import Account, Article, Author, Draft, Quota, Session, TokenClaims
from tests.contract.conftest import DAY, NOW, Store
from tests.support.odd_rows import spoil
from tests.support.stores import open_database

ON_SQL = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MINUTE = timedelta(minutes=1)
THREE = Quota("three", 3, MINUTE)


class Filled:
    """Two users, an article and a session of each."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.accounts = [store.account("alice#1"), store.account("bobby#2")]
        self.authors = [Author(each.user.id, each.user.username) for each in self.accounts]
        self.articles = [self._post(author) for author in self.authors]
        self.sessions = [self._begin(account) for account in self.accounts]

    def find_principal(self, number: int) -> object:
        session, user = self.sessions[number], self.accounts[number].user
        return self.store.sessions.find(TokenClaims(session.id, user.id, NOW + DAY), NOW)

    def _post(self, author: Author) -> Article:
        article = self.store.articles.add(author, Draft("A title", "A text"), NOW)
        assert article
        return article

    def _begin(self, account: Account) -> Session:
        session = self.store.sessions.begin(account, NOW, NOW + DAY)
        assert session
        return session


@pytest.fixture(autouse=True)
def no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test silences the next."""
    monkeypatch.setattr(rows, "_logged", {})


@pytest.fixture
def filled(store: Store) -> Filled:
    return Filled(store)


@pytest.fixture(params=["no date", "shorter", "number", "not UTF-8"])
def odd_date(request: pytest.FixtureRequest, database_url: str) -> str:
    """SQL for a date that cannot be read."""
    if database_url.startswith("postgresql://"):
        dates = ["'infinity'", "'-infinity'", "'10000-01-01'", "'0044-03-15 BC'"]
    else:
        dates = ["'yesterday'", "'2020-02-02'", "20200202", "CAST(X'FF' AS TEXT)"]
    return dict(zip(["no date", "shorter", "number", "not UTF-8"], dates, strict=True))[
        request.param
    ]


@pytest.fixture
def bad_user(filled: Filled, database_url: str, odd_date: str) -> None:
    spoil(database_url, f"UPDATE users SET date_registered = {odd_date} WHERE id = 2")


@pytest.fixture
def bad_article(filled: Filled, database_url: str, odd_date: str) -> None:
    spoil(database_url, f"UPDATE articles SET date_posted = {odd_date} WHERE id = 2")


@pytest.fixture
def bad_session(filled: Filled, database_url: str, odd_date: str) -> None:
    spoil(database_url, f"UPDATE sessions SET created = {odd_date} WHERE id = 2")


def complaint(table: str) -> str:
    return f"the row of {table} with the id 2 cannot be read"


@ON_SQL
@pytest.mark.usefixtures("bad_user")
class TestBadUser:
    def test_an_unreadable_user_is_unavailable(
        self, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(Unavailable):
            filled.store.users.find(2)
        assert caplog.messages == [complaint("users")]

    def test_an_unreadable_account_is_unavailable(
        self, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(Unavailable):
            filled.store.users.find_account("bobby#2")
        assert caplog.messages == [complaint("users")]

    def test_an_unreadable_visitor_is_unavailable(self, filled: Filled) -> None:
        with pytest.raises(Unavailable):
            filled.find_principal(1)

    def test_an_unreadable_user_is_left_out_of_lists(
        self, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert filled.store.users.find_all() == filled.accounts[:1]
        assert caplog.messages == [complaint("users")]

    def test_other_users_are_found(self, filled: Filled) -> None:
        assert filled.store.users.find(1) == filled.accounts[0].user


@ON_SQL
@pytest.mark.usefixtures("bad_article")
class TestBadArticle:
    def test_an_unreadable_article_is_unavailable(
        self, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(Unavailable):
            filled.store.articles.find(2)
        assert caplog.messages == [complaint("articles")]

    def test_an_unreadable_article_is_left_out_of_lists(
        self, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        # Where it stands in the list depends on what it has instead of a date.
        seen = filled.store.articles.latest(0, 10)
        assert [each.id for each in seen if each] == [1]
        assert caplog.messages == [complaint("articles")]

    def test_an_unreadable_article_is_left_out_of_its_author_s_list(self, filled: Filled) -> None:
        assert filled.store.articles.latest_by(2, 0, 10) == [None]

    def test_an_article_that_cannot_be_answered_is_not_edited(
        self, filled: Filled, database_url: str
    ) -> None:
        with pytest.raises(Unavailable):
            filled.store.articles.update(
                2, filled.authors[1], Draft("Another title", "Another text")
            )
        spoil(database_url, f"UPDATE articles SET date_posted = '{NOW:%FT%T.%f}'")
        assert filled.store.articles.find(2) == filled.articles[1]

    def test_an_article_that_cannot_be_answered_is_not_deleted(
        self, filled: Filled, database_url: str
    ) -> None:
        with pytest.raises(Unavailable):
            filled.store.articles.delete(2, filled.authors[1])
        spoil(database_url, f"UPDATE articles SET date_posted = '{NOW:%FT%T.%f}'")
        assert filled.store.articles.find(2) == filled.articles[1]

    def test_an_unreadable_article_goes_with_its_author(self, filled: Filled) -> None:
        filled.store.users.delete(2, None)
        assert filled.store.bulk.counts().articles == 1


@ON_SQL
@pytest.mark.usefixtures("bad_session")
class TestBadSession:
    def test_an_unreadable_session_is_unavailable(
        self, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(Unavailable):
            filled.find_principal(1)
        assert caplog.messages == [complaint("sessions")]

    def test_an_unreadable_session_is_left_out_of_lists(
        self, filled: Filled, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert filled.store.sessions.find_all(2, NOW) == []
        assert caplog.messages == [complaint("sessions")]

    def test_a_session_that_cannot_be_answered_is_not_ended(self, filled: Filled) -> None:
        with pytest.raises(Unavailable):
            filled.store.sessions.end(2, 2)
        assert filled.store.bulk.counts().sessions == 2

    def test_its_user_logs_in_again(self, filled: Filled) -> None:
        assert filled.store.sessions.begin(filled.accounts[1], NOW, NOW + DAY)


@ON_SQLITE
@pytest.mark.parametrize("value", ["X'41'", "CAST(X'FF' AS TEXT)"], ids=["blob", "not UTF-8"])
class TestBadText:
    @pytest.fixture
    def bad_texts(self, filled: Filled, database_url: str, value: str) -> None:
        spoil(database_url, f"UPDATE users SET username = {value} WHERE id = 2")
        spoil(database_url, f"UPDATE articles SET title = {value} WHERE id = 2")

    def test_what_has_no_text_is_unavailable(self, filled: Filled, bad_texts: None) -> None:
        for find in (filled.store.users.find, filled.store.articles.find):
            with pytest.raises(Unavailable):
                find(2)

    def test_what_has_no_text_is_left_out_of_lists(self, filled: Filled, bad_texts: None) -> None:
        seen = filled.store.articles.latest(0, 10)
        assert [each.id for each in seen if each] == [1]
        assert filled.store.users.find_all() == filled.accounts[:1]

    def test_what_has_no_text_is_not_deleted(self, filled: Filled, bad_texts: None) -> None:
        with pytest.raises(Unavailable):
            filled.store.articles.delete(2, filled.authors[1])
        assert filled.store.bulk.counts().articles == 2


@pytest.fixture
def no_date(database_url: str) -> str:
    """SQL for one date that cannot be read."""
    return "'yesterday'" if "sqlite" in database_url else "'infinity'"


@ON_SQL
def test_all_sessions_end_with_an_unreadable_one_among_them(
    filled: Filled, database_url: str, no_date: str
) -> None:
    spoil(database_url, f"UPDATE sessions SET created = {no_date} WHERE id = 2")
    assert filled.store.sessions.end_all(2) == []
    assert filled.store.bulk.counts().sessions == 1


@ON_SQL
def test_a_row_that_is_read_again_is_logged_once_a_minute(
    filled: Filled,
    database_url: str,
    no_date: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoil(database_url, f"UPDATE articles SET date_posted = {no_date} WHERE id = 2")
    for _ in range(3):
        filled.store.articles.latest(0, 10)
    assert caplog.messages == [complaint("articles")]
    monkeypatch.setattr(rows, "_SILENCE", 0.0)
    filled.store.articles.latest(0, 10)
    assert caplog.messages == 2 * [complaint("articles")]


@ON_SQL
@pytest.mark.parametrize("number", range(5))
def test_a_counter_without_a_date_is_over(store: Store, database_url: str, number: int) -> None:
    for _ in range(4):
        store.rate_counters.acquire([THREE], NOW)
    if database_url.startswith("sqlite"):
        within = f"'{NOW:%FT%T}.8 or so'"
        dates = ["'yesterday'", "''", "20200202", "X'00'", within]
    else:
        dates = ["'infinity'", "'-infinity'", "'10000-01-01'", "'0044-03-15 BC'", "'1999-01-01'"]
    spoil(database_url, f"UPDATE counters SET resets = {dates[number]}")
    results = [store.rate_counters.acquire([THREE], NOW) for _ in range(4)]
    assert results == [None, None, None, NOW + MINUTE]


@ON_SQLITE
def test_a_failure_while_unreadable_rows_are_read_one_by_one_is_unavailable(
    filled: Filled, database_url: str
) -> None:
    def interrupt_the_second_look(cursor: apsw.Cursor, sql: str, bindings: object) -> bool:
        if "typeof" in sql:
            connection.set_progress_handler(lambda: True, 1)
        return True

    spoil(database_url, "UPDATE articles SET title = CAST(X'FF' AS TEXT) WHERE id = 2")
    database = open_database(database_url, timeout=1)
    connection: apsw.Connection = database.peewee.connection()
    connection.exec_trace = interrupt_the_second_look
    with pytest.raises(Unavailable):
        SqlArticles(database).latest(0, 10)
    connection.set_progress_handler(None)
    database.close()
