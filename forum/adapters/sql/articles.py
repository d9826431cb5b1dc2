"""Articles on a SQL database."""

from datetime import datetime

from peewee import SQL, Expression, IntegrityError, Ordering, Select, Table, Tuple

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import read_each, read_one, require_text
from forum.adapters.sql.statements import Statement, param
from forum.adapters.sql.tables import articles, users
from forum.domain.model import Article, Author, Draft, Headline, Position


def _newest_first(table: Table) -> tuple[Ordering, Ordering]:
    return table.c.date_posted.desc(), table.c.id.desc()


def _page_query(headlines: Select, *, by_author: bool) -> Select:
    """One page of the headlines, of all authors or one.

    The rows before the page are skipped in the index alone, without touching their articles: the
    subquery finds where the page begins, and the list starts there.
    """
    skipped = articles.alias("skipped")
    begin = skipped.select(skipped.c.date_posted, skipped.c.id).order_by(*_newest_first(skipped))
    page = headlines.order_by(*_newest_first(articles))
    if by_author:
        begin, page = begin.where(_is_by_author(skipped)), page.where(_is_by_author(articles))
    begin = begin.limit(SQL("1")).offset(param("offset"))
    return page.where(Tuple(articles.c.date_posted, articles.c.id) <= begin).limit(param("limit"))


def _older_query(headlines: Select) -> Select:
    """The headlines from the first after a position on, found in the index."""
    position = Tuple(param("date_posted"), param("id"))
    older = headlines.where(Tuple(articles.c.date_posted, articles.c.id) < position)
    return older.order_by(*_newest_first(articles)).limit(param("limit"))


def _is_by_author(table: Table) -> Expression:
    condition: Expression = table.c.user_id == param("author_id")
    return condition


_AUTHORED = (articles.c.id == param("id"), _is_by_author(articles))
_HEADLINES = articles.select(
    articles.c.id,
    articles.c.title,
    articles.c.date_posted,
    articles.c.user_id,
    users.c.username,
).join(users, on=(users.c.id == articles.c.user_id))

FIND = Statement(_HEADLINES.select_extend(articles.c.text).where(articles.c.id == param("id")))
FIND_AUTHOR_ID = Statement(articles.select(articles.c.user_id).where(articles.c.id == param("id")))
LATEST = Statement(_page_query(_HEADLINES, by_author=False))
LATEST_BY = Statement(_page_query(_HEADLINES, by_author=True))
OLDER = Statement(_older_query(_HEADLINES))
OLDER_BY = Statement(_older_query(_HEADLINES.where(_is_by_author(articles))))
ADD = Statement(
    articles.insert(
        {
            articles.c.title: param("title"),
            articles.c.text: param("text"),
            articles.c.date_posted: param("date_posted"),
            articles.c.user_id: param("author_id"),
        }
    ).returning(articles.c.id)
)
UPDATE = Statement(
    articles.update({articles.c.title: param("title"), articles.c.text: param("text")})
    .where(*_AUTHORED)
    .returning(articles.c.id, articles.c.date_posted)
)
DELETE = Statement(
    articles.delete()
    .where(*_AUTHORED)
    .returning(articles.c.id, articles.c.date_posted, articles.c.title, articles.c.text)
)


class SqlArticles:
    """An `ArticleRepository` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._from_stored = database.from_stored

    def add(self, author: Author, draft: Draft, date_posted: datetime) -> Article | None:
        try:
            [(id,)] = self._database.write(
                ADD,
                author_id=author.id,
                title=draft.title,
                text=draft.text,
                date_posted=date_posted,
            )
        except IntegrityError:
            return None
        return draft.to_article(id, date_posted, author)

    def find(self, article_id: int) -> Article | None:
        rows = self._database.read(FIND, id=article_id)
        return read_one("articles", self._article, rows)

    def find_author_id(self, article_id: int) -> int | None:
        for (author_id,) in self._database.read(FIND_AUTHOR_ID, id=article_id):
            return int(author_id)
        return None

    def latest(self, offset: int, limit: int) -> list[Headline | None]:
        rows = self._database.read(LATEST, offset=offset, limit=limit)
        return read_each("articles", self._headline, rows)

    def latest_by(self, author_id: int, offset: int, limit: int) -> list[Headline | None]:
        rows = self._database.read(LATEST_BY, author_id=author_id, offset=offset, limit=limit)
        return read_each("articles", self._headline, rows)

    def older(self, than: Position, limit: int) -> list[Headline | None]:
        rows = self._database.read(OLDER, **than._asdict(), limit=limit)
        return read_each("articles", self._headline, rows)

    def older_by(self, author_id: int, than: Position, limit: int) -> list[Headline | None]:
        rows = self._database.read(OLDER_BY, author_id=author_id, **than._asdict(), limit=limit)
        return read_each("articles", self._headline, rows)

    def update(self, article_id: int, author: Author, draft: Draft) -> Article | None:
        def written(id: int, date_posted: object) -> Article:
            return draft.to_article(id, self._from_stored(date_posted), author)

        with self._database.transaction():  # What cannot be returned is not written either.
            rows = self._database.write(
                UPDATE, id=article_id, author_id=author.id, title=draft.title, text=draft.text
            )
            return read_one("articles", written, rows)

    def delete(self, article_id: int, author: Author) -> Article | None:
        def removed(id: int, date_posted: object, title: object, text: object) -> Article:
            return self._article(id, title, date_posted, author.id, author.username, text)

        with self._database.transaction():  # What cannot be returned is not deleted either.
            rows = self._database.write(DELETE, id=article_id, author_id=author.id)
            return read_one("articles", removed, rows)

    def _headline(
        self, id: int, title: object, date_posted: object, author_id: int, username: object
    ) -> Headline:
        # Not by `require_text`: it is read most often.
        if not type(title) is type(username) is str:
            raise TypeError
        return Headline(id, title, self._from_stored(date_posted), Author(author_id, username))

    def _article(
        self,
        id: int,
        title: object,
        date_posted: object,
        author_id: int,
        username: object,
        text: object,
    ) -> Article:
        author = Author(author_id, require_text(username))
        moment = self._from_stored(date_posted)
        return Article(id, require_text(title), require_text(text), moment, author)
