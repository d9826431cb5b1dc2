"""A whole SQL database, for moving it elsewhere."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from peewee import SQL, Column, Select, Table

from forum.adapters.sql import Database, Row, compile_query, slot
from forum.domain.model import Account, Article, Author, LastIds, Session, User

_BATCH = 1000
"""Rows that are in memory at the same time while a whole table is read."""


class SqlArchive:
    """An `Archive` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        article, user, session = Table("articles"), Table("users"), Table("sessions")
        self._accounts = _compile_batch(
            database,
            user.select(
                user.c.id,
                user.c.username,
                user.c.date_registered,
                user.c.password_hash,
                user.c.is_disabled,
            ),
            user.c.id,
        )
        self._articles = _compile_batch(
            database,
            article.select(
                article.c.id,
                article.c.title,
                article.c.text,
                article.c.date_posted,
                article.c.user_id,
                user.c.username,
            ).join(user, on=(user.c.id == article.c.user_id)),
            article.c.id,
        )
        self._sessions = _compile_batch(
            database,
            session.select(
                session.c.id,
                session.c.created,
                session.c.last_used,
                session.c.expires,
                session.c.user_id,
            ),
            session.c.id,
        )
        self._add_account = _compile_insert(
            database, user, "date_registered", "id", "is_disabled", "password_hash", "username"
        )
        self._add_article = _compile_insert(
            database, article, "date_posted", "id", "text", "title", "user_id"
        )
        self._add_session = _compile_insert(
            database, session, "created", "expires", "id", "last_used", "user_id"
        )

    def view(self) -> AbstractContextManager[object]:
        return self._database.view()

    def change(self) -> AbstractContextManager[object]:
        return self._database.exclusive()

    def accounts(self) -> Iterator[Account]:
        for id, username, date_registered, password_hash, is_disabled in self._rows(self._accounts):
            user = User(id, username, self._database.load_time(date_registered))
            yield Account(user, password_hash, bool(is_disabled))

    def articles(self) -> Iterator[Article]:
        for id, title, text, date_posted, *author in self._rows(self._articles):
            yield Article(id, title, text, self._database.load_time(date_posted), Author(*author))

    def sessions(self) -> Iterator[tuple[int, Session]]:
        for id, *times, user_id in self._rows(self._sessions):
            yield user_id, Session(id, *map(self._database.load_time, times))

    def last_ids(self) -> LastIds:
        return LastIds(*map(self._database.last_id, ("users", "articles", "sessions")))

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        store_time = self._database.store_time
        self._database.write_many(
            self._add_account,
            (
                (
                    store_time(each.user.date_registered),
                    each.user.id,
                    each.is_disabled,
                    each.password_hash,
                    each.user.username,
                )
                for each in accounts
            ),
        )

    def add_articles(self, articles: Iterable[Article]) -> None:
        store_time = self._database.store_time
        self._database.write_many(
            self._add_article,
            (
                (store_time(each.date_posted), each.id, each.text, each.title, each.author.id)
                for each in articles
            ),
        )

    def add_sessions(self, sessions: Iterable[tuple[int, Session]]) -> None:
        store_time = self._database.store_time
        self._database.write_many(
            self._add_session,
            (
                (
                    store_time(each.created),
                    store_time(each.expires),
                    each.id,
                    store_time(each.last_used),
                    user_id,
                )
                for user_id, each in sessions
            ),
        )

    def raise_last_ids(self, last: LastIds) -> None:
        now = self.last_ids()
        self._database.set_last_id("users", max(now.user, last.user))
        self._database.set_last_id("articles", max(now.article, last.article))
        self._database.set_last_id("sessions", max(now.session, last.session))

    def _rows(self, sql: str) -> Iterator[Row]:
        """All rows of a statement that answers a batch after the id that it is given; the id comes first."""
        rows = self._database.read(sql, 0)
        while rows:
            yield from rows
            rows = self._database.read(sql, rows[-1][0])


def _compile_batch(database: Database, query: Select, key: Column) -> str:
    batch = query.where(key > slot("after")).order_by(key).limit(SQL(str(_BATCH)))
    return compile_query(database, batch, "after")


def _compile_insert(database: Database, table: Table, *columns: str) -> str:
    values = {getattr(table.c, column): slot(column) for column in columns}
    return compile_query(database, table.insert(values), *columns)
