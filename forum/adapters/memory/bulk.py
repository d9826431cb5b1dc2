"""The whole of a store in memory."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from forum.adapters.memory.tables import MemoryStore
from forum.domain.model import (
    Account,
    Article,
    Counts,
    LastIds,
    Session,
)


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
