"""The repositories on a SQL database, one code for every dialect.

Each statement is built with Peewee once, when the repository is made, and kept as a string: building
it anew for each call costs ten times as much as running it.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from peewee import (
    SQL,
    Context,
    Expression,
    IntegrityError,
    Ordering,
    Query,
    Select,
    Table,
    Tuple,
    Value,
)

from forum.adapters.sql_rows import Values, read_all, read_each, read_one
from forum.domain.errors import UsernameTaken
from forum.domain.model import Account, Article, Author, Headline, User

Row = Sequence[Any]
"""The columns in the order of the statement; the first alone where the driver cannot convert all."""


class Database(Protocol):
    """What the repositories need of a database. Both methods answer all rows, with nothing left open.

    They raise `Unavailable` when the database cannot answer now, and Peewee's `IntegrityError` when
    a constraint refuses a write.
    """

    def read(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement that changes nothing."""

    def write(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement in a transaction of its own, committed on return, or as a part of an exclusive one."""

    def create(self) -> None:
        """Make an empty database where there is none and one can be made. Raises OSError."""

    def demand(self) -> None:
        """Raise FileNotFoundError where it can be told that there is no database."""

    def release(self) -> None:
        """Close the connections of all threads."""

    def within(self, seconds: float) -> AbstractContextManager[object]:
        """Let this thread wait for the database so long at most, in all, until the end of the block.

        Beyond it `Unavailable` is raised. A write that a server has received, but not answered, may
        be done all the same.
        """

    for_update: bool
    """Whether rows can be locked one by one."""

    def all_or_nothing(self) -> AbstractContextManager[object]:
        """All or nothing for the writes inside. Raises `Unavailable`."""

    def exclusive(self) -> AbstractContextManager[Any]:
        """A transaction, around any number of reads and writes, beside which nobody else writes."""

    def view(self) -> AbstractContextManager[Any]:
        """A transaction, around any number of reads, that sees one state of the database."""

    def write_many(self, sql: str, rows: Iterable[Row]) -> None:
        """Run one statement for each row of parameters, inside `exclusive`."""

    def last_id(self, table: str) -> int:
        """The greatest key that the table has ever given; 0 for none."""

    def set_last_id(self, table: str, id: int) -> None:
        """Give greater keys only."""

    def get_sql_context(self) -> Context:
        """Peewee's, which turns queries into this database's dialect."""

    def store_time(self, moment: datetime) -> object:
        """The moment as this database keeps it: naive, in UTC, to the microsecond."""

    def load_time(self, stored: Any) -> datetime:
        """The aware moment that `store_time` stored. Raises one of `UNREADABLE` at anything else."""


class SqlUsers:
    """A `UserRepository` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values = Values(database.load_time)
        user, session, article = Table("users"), Table("sessions"), Table("articles")
        own = user.c.id == slot("id")
        public = (user.c.id, user.c.username, user.c.date_registered)
        account = (*public, user.c.password_hash, user.c.is_disabled)
        self._find = compile_query(
            database, user.select(*public).where(user.c.id == slot("id")), "id"
        )
        self._find_account = compile_query(
            database,
            user.select(*account).where(user.c.username == slot("username")),
            "username",
        )
        self._find_all = compile_query(database, user.select(*account).order_by(user.c.id))
        self._add = compile_query(
            database,
            user.insert(
                {
                    user.c.username: slot("username"),
                    user.c.password_hash: slot("hash"),
                    user.c.date_registered: slot("date"),
                }
            ).returning(user.c.id),
            "date", "hash", "username",
        )  # fmt: skip
        self._replace_password_hash = compile_query(
            database,
            user.update({user.c.password_hash: slot("new")})
            .where(user.c.id == slot("id"), user.c.password_hash == slot("old"))
            .returning(user.c.id),
            "new", "id", "old",
        )  # fmt: skip
        self._set_password_hash = compile_query(
            database,
            user.update({user.c.password_hash: slot("new")}).where(own).returning(user.c.id),
            "new", "id",
        )  # fmt: skip
        self._set_disabled = compile_query(
            database,
            user.update({user.c.is_disabled: slot("flag")}).where(own).returning(user.c.id),
            "flag", "id",
        )  # fmt: skip
        self._delete = compile_query(database, user.delete().where(own).returning(user.c.id), "id")
        self._lock = compile_query(
            database, lock(database, user.select(user.c.id).where(own), "FOR UPDATE"), "id"
        )
        self._end_sessions = compile_query(
            database,
            session.delete().where(session.c.user_id == slot("user")).returning(session.c.id),
            "user",
        )
        self._delete_articles = compile_query(
            database,
            article.delete().where(article.c.user_id == slot("user")).returning(article.c.id),
            "user",
        )
        self._hand_articles = compile_query(
            database,
            article.update({article.c.user_id: slot("heir")})
            .where(article.c.user_id == slot("user"))
            .returning(article.c.id),
            "heir", "user",
        )  # fmt: skip

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        moment = self._database.store_time(date_registered)
        try:
            [(id,)] = self._database.write(self._add, moment, password_hash, username)
        except IntegrityError as error:
            raise UsernameTaken from error
        return User(id, username, date_registered)

    def find(self, user_id: int) -> User | None:
        return read_one("users", self._values.user, self._database.read(self._find, user_id))

    def find_account(self, username: str) -> Account | None:
        rows = self._database.read(self._find_account, username)
        return read_one("users", self._values.account, rows)

    def find_all(self) -> list[Account]:
        return read_all("users", self._values.account, self._database.read(self._find_all))

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        self._database.write(self._replace_password_hash, new, user_id, old)

    def change_password_hash(self, user_id: int, new: str, old: str | None = None) -> bool:
        with self._database.all_or_nothing():
            changed = (
                self._database.write(self._set_password_hash, new, user_id)
                if old is None
                else self._database.write(self._replace_password_hash, new, user_id, old)
            )
            if changed:
                self._database.write(self._end_sessions, user_id)
        return bool(changed)

    def set_disabled(self, user_id: int, *, is_disabled: bool) -> None:
        with self._database.all_or_nothing():
            self._database.write(self._set_disabled, is_disabled, user_id)
            if is_disabled:
                self._database.write(self._end_sessions, user_id)

    def delete(self, user_id: int, heir_id: int | None) -> None:
        with self._database.all_or_nothing():
            # Locked, or else an article that is posted meanwhile would be left without an author.
            self._database.read(self._lock, user_id)
            self._database.write(self._end_sessions, user_id)
            if heir_id is None:
                self._database.write(self._delete_articles, user_id)
            else:
                self._database.write(self._hand_articles, heir_id, user_id)
            self._database.write(self._delete, user_id)


class SqlArticles:
    """An `ArticleRepository` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values = Values(database.load_time)
        article, user = Table("articles"), Table("users")
        authored = article.c.id == slot("id"), article.c.user_id == slot("author")
        headline = (
            article.c.id,
            article.c.title,
            article.c.date_posted,
            article.c.user_id,
            user.c.username,
        )
        with_author = article.select(*headline).join(user, on=(user.c.id == article.c.user_id))
        self._find = compile_query(
            database,
            with_author.select_extend(article.c.text).where(article.c.id == slot("id")),
            "id",
        )
        self._find_author_id = compile_query(
            database, article.select(article.c.user_id).where(article.c.id == slot("id")), "id"
        )
        self._latest = compile_query(database, _page(with_author, article), "offset", "limit")
        self._latest_by = compile_query(
            database,
            _page(with_author, article, lambda each: each.c.user_id == slot("author")),
            "author", "author", "offset", "limit",
        )  # fmt: skip
        self._add = compile_query(
            database,
            article.insert(
                {
                    article.c.title: slot("title"),
                    article.c.text: slot("text"),
                    article.c.date_posted: slot("date"),
                    article.c.user_id: slot("author"),
                }
            ).returning(article.c.id),
            "date", "text", "title", "author",
        )  # fmt: skip
        self._update = compile_query(
            database,
            article.update({article.c.title: slot("title"), article.c.text: slot("text")})
            .where(*authored)
            .returning(article.c.id, article.c.date_posted),
            "text", "title", "id", "author",
        )  # fmt: skip
        self._delete = compile_query(
            database,
            article.delete()
            .where(*authored)
            .returning(article.c.id, article.c.date_posted, article.c.title, article.c.text),
            "id", "author",
        )  # fmt: skip

    def add(self, author: Author, title: str, text: str, date_posted: datetime) -> Article | None:
        moment = self._database.store_time(date_posted)
        try:
            [(id,)] = self._database.write(self._add, moment, text, title, author.id)
        except IntegrityError:
            return None
        return Article(id, title, text, date_posted, author)

    def find(self, article_id: int) -> Article | None:
        rows = self._database.read(self._find, article_id)
        return read_one("articles", self._values.article, rows)

    def find_author_id(self, article_id: int) -> int | None:
        for (author_id,) in self._database.read(self._find_author_id, article_id):
            return int(author_id)
        return None

    def latest(self, offset: int, limit: int) -> list[Headline | None]:
        rows = self._database.read(self._latest, offset, limit)
        return read_each("articles", self._values.headline, rows)

    def latest_by(self, author_id: int, offset: int, limit: int) -> list[Headline | None]:
        rows = self._database.read(self._latest_by, author_id, author_id, offset, limit)
        return read_each("articles", self._values.headline, rows)

    def update(self, article_id: int, author: Author, title: str, text: str) -> Article | None:
        with self._database.all_or_nothing():
            rows = self._database.write(self._update, text, title, article_id, author.id)
            return self._read_written(author, [(*row, title, text) for row in rows])

    def delete(self, article_id: int, author: Author) -> Article | None:
        with self._database.all_or_nothing():
            rows = self._database.write(self._delete, article_id, author.id)
            return self._read_written(author, rows)

    def _read_written(self, author: Author, rows: list[Row]) -> Article | None:
        # Called inside the transaction: what cannot be answered is not done either.
        def convert(id: int, date_posted: object, title: object, text: object) -> Article:
            return self._values.article(id, title, date_posted, *author_columns, text)

        author_columns = author.id, author.username
        return read_one("articles", convert, rows)


def _page(
    headlines: Select, article: Table, condition: Callable[[Table], Expression] | None = None
) -> Select:
    """One page of the headlines that meet the condition.

    The rows before the page are skipped in the index alone, without touching their articles: the
    subquery finds where the page begins, and the list starts there.
    """
    skipped = article.alias("skipped")
    begin = skipped.select(skipped.c.date_posted, skipped.c.id).order_by(*_newest_first(skipped))
    page = headlines.order_by(*_newest_first(article))
    if condition:
        begin, page = begin.where(condition(skipped)), page.where(condition(article))
    begin = begin.limit(SQL("1")).offset(slot("offset"))
    return page.where(Tuple(article.c.date_posted, article.c.id) <= begin).limit(slot("limit"))


def _newest_first(article: Table) -> tuple[Ordering, Ordering]:
    return article.c.date_posted.desc(), article.c.id.desc()


def lock(database: Database, query: Select, mode: str) -> Select:
    """The query, which locks the rows that it finds where rows can be locked one by one; elsewhere whoever writes is alone."""
    return query.for_update(mode) if database.for_update else query  # type: ignore[arg-type]  # the stubs know no mode


def slot(name: str) -> Value:
    """A place for a parameter; Peewee passes it on as it is."""
    return Value(name, converter=False)


def compile_query(database: Database, query: Query, *parameters: str) -> str:
    """The SQL of a query whose slots come in this order."""
    sql, slots = database.get_sql_context().parse(query)
    if slots != list(parameters):
        raise TypeError(f"the statement takes {slots}, not {parameters}")
    return str(sql)
