"""A whole SQL database, for moving it elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

from peewee import JOIN, SQL, Column, Select, Table, fn

from forum.adapters.sql.checks import BadColumn, CheckedValues
from forum.adapters.sql.database import Database, Row
from forum.adapters.sql.statements import compile_query, slot
from forum.domain.ids import MAX_ID
from forum.domain.model import Account, Article, Counts, LastIds, Session
from forum.domain.moving.copying import UnreadableRow

T = TypeVar("T")

_BATCH = 1000
"""Rows that are in memory at the same time while a whole table is read."""

_BEFORE_ALL = -MAX_ID - 1
"""The least key of a column: ids that no row should have are met too, not passed over."""


class SqlArchive:
    """An `Archive` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values = CheckedValues(database.load_time, database.store_time)
        article, user, session = Table("articles"), Table("users"), Table("sessions")
        self._counts = [
            compile_query(database, table.select(fn.COUNT(SQL("1"))))
            for table in (user, article, session)
        ]
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
            ).join(user, JOIN.LEFT_OUTER, on=(user.c.id == article.c.user_id)),
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
                user.c.id,
            ).join(user, JOIN.LEFT_OUTER, on=(user.c.id == session.c.user_id)),
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

    def counts(self) -> Counts:
        return Counts(*(int(self._database.read(sql)[0][0]) for sql in self._counts))

    def accounts(self) -> Iterator[Account]:
        names: set[str] = set()
        for account in self._read("users", self._accounts, self._values.account):
            if account.user.username in names:
                raise UnreadableRow("users", account.user.id, "username")
            names.add(account.user.username)
            yield account

    def articles(self) -> Iterator[Article]:
        return self._read("articles", self._articles, self._values.article)

    def sessions(self) -> Iterator[tuple[int, Session]]:
        return self._read("sessions", self._sessions, self._values.session)

    def last_ids(self) -> LastIds:
        return LastIds(*map(self._last_id, ("users", "articles", "sessions")))

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

    def _last_id(self, table: str) -> int:
        try:
            return self._database.last_id(table)
        except (TypeError, ValueError):
            raise UnreadableRow("sqlite_sequence", table) from None

    def _read(self, table: str, sql: str, convert: Callable[..., T]) -> Iterator[T]:
        for row in self._rows(sql):
            try:
                value = convert(*row)
            except BadColumn as error:
                raise UnreadableRow(table, row[0], str(error)) from None
            except TypeError:  # The driver could not convert the row.
                raise UnreadableRow(table, row[0]) from None
            yield value

    def _rows(self, sql: str) -> Iterator[Row]:
        """All rows of a statement that answers a batch after the id that it is given; the id comes first."""
        rows = self._database.read(sql, _BEFORE_ALL)
        while rows:
            yield from rows
            rows = self._database.read(sql, rows[-1][0])


def _compile_batch(database: Database, query: Select, key: Column) -> str:
    batch = query.where(key > slot("after")).order_by(key).limit(SQL(str(_BATCH)))
    return compile_query(database, batch, "after")


def _compile_insert(database: Database, table: Table, *columns: str) -> str:
    values = {getattr(table.c, column): slot(column) for column in columns}
    return compile_query(database, table.insert(values), *columns)
