"""A store that forgets: for tests, demonstrations and front-end work. It refuses whatever a database refuses."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime

from forum.domain.errors import UsernameTaken
from forum.domain.model import Account, Article, Author, Headline, LastIds, User


class MemoryStore:
    """The tables and their lock, shared by the repositories."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.accounts: dict[int, Account] = {}
        self.articles: dict[int, Article] = {}
        self.last = LastIds(0, 0)


class MemoryUsers:
    """A `UserRepository` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        with self._store.lock:
            if self.find_account(username):
                raise UsernameTaken
            # Counted, not looked up: an id is never used again, not even that of the last one.
            self._store.last = replace(self._store.last, user=self._store.last.user + 1)
            user = User(self._store.last.user, username, date_registered)
            self._store.accounts[user.id] = Account(user, password_hash)
            return user

    def find(self, user_id: int) -> User | None:
        account = self._store.accounts.get(user_id)
        return account.user if account else None

    def find_account(self, username: str) -> Account | None:
        with self._store.lock:
            accounts = self._store.accounts.values()
            return next((each for each in accounts if each.user.username == username), None)

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        with self._store.lock:
            account = self._store.accounts.get(user_id)
            if account and account.password_hash == old:
                self._store.accounts[user_id] = replace(account, password_hash=new)


class MemoryArticles:
    """An `ArticleRepository` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def add(self, author: Author, title: str, text: str, date_posted: datetime) -> Article | None:
        with self._store.lock:
            if author.id not in self._store.accounts:
                return None
            self._store.last = replace(self._store.last, article=self._store.last.article + 1)
            article = Article(self._store.last.article, title, text, date_posted, author)
            self._store.articles[article.id] = article
            return article

    def find(self, article_id: int) -> Article | None:
        return self._store.articles.get(article_id)

    def find_author_id(self, article_id: int) -> int | None:
        article = self.find(article_id)
        return article.author.id if article else None

    def latest(self, offset: int, limit: int) -> list[Headline]:
        with self._store.lock:
            return _headlines(list(self._store.articles.values()), offset, limit)

    def latest_by(self, author_id: int, offset: int, limit: int) -> list[Headline]:
        with self._store.lock:
            articles = self._store.articles.values()
            own = [each for each in articles if each.author.id == author_id]
        return _headlines(own, offset, limit)

    def update(self, article_id: int, author: Author, title: str, text: str) -> Article | None:
        with self._store.lock:
            if self.find_author_id(article_id) != author.id:
                return None
            article = replace(self._store.articles[article_id], title=title, text=text)
            self._store.articles[article_id] = article
            return article

    def delete(self, article_id: int, author: Author) -> Article | None:
        with self._store.lock:
            if self.find_author_id(article_id) != author.id:
                return None
            return self._store.articles.pop(article_id)


class MemoryArchive:
    """An `Archive` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def view(self) -> AbstractContextManager[object]:
        return self._store.lock

    @contextmanager
    def change(self) -> Iterator[None]:
        with self._store.lock:
            before = dict(self._store.accounts), dict(self._store.articles), self._store.last
            try:
                yield
            except BaseException:
                self._store.accounts, self._store.articles, self._store.last = before
                raise

    def accounts(self) -> Iterator[Account]:
        return (account for _, account in sorted(self._store.accounts.items()))

    def articles(self) -> Iterator[Article]:
        return (article for _, article in sorted(self._store.articles.items()))

    def last_ids(self) -> LastIds:
        return self._store.last

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        self._store.accounts.update((each.user.id, each) for each in accounts)

    def add_articles(self, articles: Iterable[Article]) -> None:
        self._store.articles.update((each.id, each) for each in articles)

    def raise_last_ids(self, last: LastIds) -> None:
        now = self._store.last
        self._store.last = LastIds(max(now.user, last.user), max(now.article, last.article))


def _headlines(articles: list[Article], offset: int, limit: int) -> list[Headline]:
    articles.sort(key=lambda each: (each.date_posted, each.id), reverse=True)
    return [
        Headline(each.id, each.title, each.date_posted, each.author)
        for each in articles[offset : offset + limit]
    ]
