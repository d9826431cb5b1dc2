"""Articles on a SQL database."""

from collections.abc import Callable
from datetime import datetime

from peewee import (
    SQL,
    Expression,
    IntegrityError,
    Ordering,
    Select,
    Table,
    Tuple,
)

from forum.adapters.sql.database import Database, Row
from forum.adapters.sql.rows import Values, read_each, read_one
from forum.adapters.sql.statements import compile_query, slot
from forum.domain.model import Article, Author, Headline


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
