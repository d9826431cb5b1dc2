"""A store that forgets: for tests, demonstrations and front-end work. It refuses whatever a database refuses."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime

from forum.domain.errors import UsernameTaken
from forum.domain.model import (
    Account,
    Article,
    Author,
    Counts,
    Credentials,
    Headline,
    LastIds,
    Quota,
    Session,
    User,
    Visitor,
)
from forum.domain.ports import FORGOTTEN, WITNESSES


class MemoryStore:
    """The tables and their lock, shared by the repositories."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.accounts: dict[int, Account] = {}
        self.articles: dict[int, Article] = {}
        self.sessions: dict[int, tuple[int, Session]] = {}
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

    def find_all(self) -> list[Account]:
        with self._store.lock:
            return [account for _, account in sorted(self._store.accounts.items())]

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        with self._store.lock:
            account = self._store.accounts.get(user_id)
            if account and account.password_hash == old:
                self._store.accounts[user_id] = replace(account, password_hash=new)

    def change_password_hash(self, user_id: int, new: str, old: str | None = None) -> bool:
        with self._store.lock:
            account = self._store.accounts.get(user_id)
            if account is None or old not in (None, account.password_hash):
                return False
            self._store.accounts[user_id] = replace(account, password_hash=new)
            self._end_sessions(user_id)
            return True

    def set_disabled(self, user_id: int, *, is_disabled: bool) -> None:
        with self._store.lock:
            account = self._store.accounts.get(user_id)
            if account is None:
                return
            self._store.accounts[user_id] = replace(account, is_disabled=is_disabled)
            if is_disabled:
                self._end_sessions(user_id)

    def delete(self, user_id: int, heir_id: int | None) -> None:
        with self._store.lock:
            self._end_sessions(user_id)
            for article in [a for a in self._store.articles.values() if a.author.id == user_id]:
                if heir_id is None:
                    del self._store.articles[article.id]
                else:
                    heir = self._store.accounts[heir_id].user
                    author = Author(heir.id, heir.username)
                    self._store.articles[article.id] = replace(article, author=author)
            self._store.accounts.pop(user_id, None)

    def _end_sessions(self, user_id: int) -> None:
        for id in [id for id, (owner, _) in self._store.sessions.items() if owner == user_id]:
            del self._store.sessions[id]


class MemorySessions:
    """A `SessionRepository` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def begin(self, account: Account, created: datetime, expires: datetime) -> Session | None:
        with self._store.lock:
            now = self._store.accounts.get(account.user.id)
            if now is None or now.is_disabled or now.password_hash != account.password_hash:
                return None
            self._store.last = replace(self._store.last, session=self._store.last.session + 1)
            session = Session(self._store.last.session, created, created, expires)
            self._store.sessions[session.id] = (account.user.id, session)
            self._forget_expired(created)
            return session

    def find(self, credentials: Credentials, now: datetime) -> Visitor | None:
        with self._store.lock:
            owner, session = self._store.sessions.get(credentials.session_id, (0, None))
            account = self._store.accounts.get(credentials.user_id)
        if session is None or account is None or owner != credentials.user_id:
            return None
        return Visitor(account.user, session) if session.expires > now else None

    def find_all(self, user_id: int, now: datetime) -> list[Session]:
        with self._store.lock:
            own = [each for owner, each in self._store.sessions.values() if owner == user_id]
        return sorted((s for s in own if s.expires > now), key=lambda each: each.id, reverse=True)

    def touch(self, session_id: int, moment: datetime) -> None:
        with self._store.lock:
            if session_id in self._store.sessions:
                owner, session = self._store.sessions[session_id]
                self._store.sessions[session_id] = owner, replace(session, last_used=moment)

    def end(self, session_id: int, user_id: int) -> Session | None:
        with self._store.lock:
            owner, session = self._store.sessions.get(session_id, (0, None))
            if owner != user_id:
                return None
            del self._store.sessions[session_id]
            return session

    def end_all(self, user_id: int, but: int | None = None) -> list[Session]:
        with self._store.lock:
            ids = [id for id, (owner, _) in self._store.sessions.items() if owner == user_id]
            return [self._store.sessions.pop(id)[1] for id in ids if id != but]

    def _forget_expired(self, now: datetime) -> None:
        sessions = [self._store.sessions[id][1] for id in sorted(self._store.sessions)]
        if len(sessions) >= WITNESSES:
            known = min(now, sessions[-WITNESSES].created)
            expired = [each for each in sessions if each.expires <= known]
            for session in sorted(expired, key=lambda each: each.expires)[:FORGOTTEN]:
                del self._store.sessions[session.id]


class MemoryCounters:
    """`Counters` in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, datetime]] = {}

    def take(self, quotas: Sequence[Quota], now: datetime) -> datetime | None:
        with self._lock:
            self._forget_over(now)
            for quota in quotas:
                taken, resets = self._count(quota, now)
                if taken >= quota.limit:
                    return resets
            for quota in quotas:
                taken, resets = self._count(quota, now)
                self._counts[quota.key] = taken + 1, resets
            return None

    def give_back(self, quotas: Sequence[Quota], now: datetime) -> None:
        with self._lock:
            for quota in quotas:
                taken, resets = self._count(quota, now)
                if taken:
                    self._counts[quota.key] = taken - 1, resets

    def _count(self, quota: Quota, now: datetime) -> tuple[int, datetime]:
        end = now + quota.window
        taken, resets = self._counts.get(quota.key, (0, end))
        # Further ahead than a whole window: the clock was put back.
        return (0, end) if resets > end else (taken, resets)

    def _forget_over(self, now: datetime) -> None:
        self._counts = {key: each for key, each in self._counts.items() if each[1] > now}


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

    def latest(self, offset: int, limit: int) -> list[Headline | None]:
        with self._store.lock:
            return _headlines(list(self._store.articles.values()), offset, limit)

    def latest_by(self, author_id: int, offset: int, limit: int) -> list[Headline | None]:
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
        store = self._store
        with store.lock:
            before = dict(store.accounts), dict(store.articles), dict(store.sessions), store.last
            try:
                yield
            except BaseException:
                store.accounts, store.articles, store.sessions, store.last = before
                raise

    def counts(self) -> Counts:
        store = self._store
        return Counts(len(store.accounts), len(store.articles), len(store.sessions))

    def accounts(self) -> Iterator[Account]:
        return (account for _, account in sorted(self._store.accounts.items()))

    def articles(self) -> Iterator[Article]:
        return (article for _, article in sorted(self._store.articles.items()))

    def sessions(self) -> Iterator[tuple[int, Session]]:
        return (session for _, session in sorted(self._store.sessions.items()))

    def last_ids(self) -> LastIds:
        return self._store.last

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        self._store.accounts.update((each.user.id, each) for each in accounts)

    def add_articles(self, articles: Iterable[Article]) -> None:
        self._store.articles.update((each.id, each) for each in articles)

    def add_sessions(self, sessions: Iterable[tuple[int, Session]]) -> None:
        self._store.sessions.update((each.id, (user_id, each)) for user_id, each in sessions)

    def raise_last_ids(self, last: LastIds) -> None:
        now = self._store.last
        self._store.last = LastIds(
            max(now.user, last.user),
            max(now.article, last.article),
            max(now.session, last.session),
        )


def _headlines(articles: list[Article], offset: int, limit: int) -> list[Headline | None]:
    articles.sort(key=lambda each: (each.date_posted, each.id), reverse=True)
    return [
        Headline(each.id, each.title, each.date_posted, each.author)
        for each in articles[offset : offset + limit]
    ]
