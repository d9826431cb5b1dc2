"""Articles in memory."""

from dataclasses import replace
from datetime import datetime

from forum.adapters.memory.tables import MemoryTables
from forum.domain.model import (
    Article,
    Author,
    Draft,
    Headline,
    Position,
)


class MemoryArticles:
    """An `ArticleRepository` in memory."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def add(self, author: Author, draft: Draft, date_posted: datetime) -> Article | None:
        with self._tables.change():
            if author.id not in self._tables.accounts:
                return None
            self._tables.last = replace(self._tables.last, article=self._tables.last.article + 1)
            article = draft.to_article(self._tables.last.article, date_posted, author)
            self._tables.articles[article.id] = article
            return article

    def find(self, article_id: int) -> Article | None:
        return self._tables.articles.get(article_id)

    def find_author_id(self, article_id: int) -> int | None:
        article = self.find(article_id)
        return article.author.id if article else None

    def latest(self, offset: int, limit: int) -> list[Headline | None]:
        return _headlines(self._all(), offset, limit)

    def latest_by(self, author_id: int, offset: int, limit: int) -> list[Headline | None]:
        return _headlines(self._all_by(author_id), offset, limit)

    def older(self, than: Position, limit: int) -> list[Headline | None]:
        return _headlines([each for each in self._all() if _position(each) < than], 0, limit)

    def older_by(self, author_id: int, than: Position, limit: int) -> list[Headline | None]:
        older = [each for each in self._all_by(author_id) if _position(each) < than]
        return _headlines(older, 0, limit)

    def update(self, article_id: int, author: Author, draft: Draft) -> Article | None:
        with self._tables.change():
            if self.find_author_id(article_id) != author.id:
                return None
            article = draft.to_article(
                article_id, self._tables.articles[article_id].date_posted, author
            )
            self._tables.articles[article_id] = article
            return article

    def delete(self, article_id: int, author: Author) -> Article | None:
        with self._tables.change():
            if self.find_author_id(article_id) != author.id:
                return None
            return self._tables.articles.pop(article_id)

    def _all(self) -> list[Article]:
        with self._tables.lock:
            return list(self._tables.articles.values())

    def _all_by(self, author_id: int) -> list[Article]:
        return [each for each in self._all() if each.author.id == author_id]


def _headlines(articles: list[Article], offset: int, limit: int) -> list[Headline | None]:
    articles.sort(key=_position, reverse=True)
    return [each.to_headline() for each in articles[offset : offset + limit]]


def _position(article: Article) -> Position:
    return Position(article.date_posted, article.id)
