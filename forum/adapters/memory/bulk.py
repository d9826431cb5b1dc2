"""The whole of a tables in memory."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy

from forum.adapters.memory.tables import MemoryTables
from forum.domain.model import (
    Account,
    Article,
    AuditEntry,
    Counts,
    LastIds,
    Session,
)


class MemoryBulkStore:
    """An `BulkStore` in memory."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def snapshot(self) -> AbstractContextManager[object]:
        return self._tables.lock

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        tables = self._tables
        with tables.lock:
            before = {name: copy(value) for name, value in vars(tables).items() if name != "lock"}
            try:
                yield
            except BaseException:
                vars(tables).update(before)
                raise

    def counts(self) -> Counts:
        tables = self._tables
        return Counts(
            len(tables.accounts),
            len(tables.articles),
            len(tables.sessions),
            len(tables.audit_entries),
        )

    def accounts(self) -> Iterator[Account]:
        return (account for _, account in sorted(self._tables.accounts.items()))

    def articles(self) -> Iterator[Article]:
        return (article for _, article in sorted(self._tables.articles.items()))

    def sessions(self) -> Iterator[tuple[int, Session]]:
        return (session for _, session in sorted(self._tables.sessions.items()))

    def audit_entries(self) -> Iterator[AuditEntry]:
        return iter(self._tables.audit_entries)

    def last_ids(self) -> LastIds:
        return self._tables.last

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        self._tables.accounts.update((each.user.id, each) for each in accounts)

    def add_articles(self, articles: Iterable[Article]) -> None:
        self._tables.articles.update((each.id, each) for each in articles)

    def add_sessions(self, sessions: Iterable[tuple[int, Session]]) -> None:
        self._tables.sessions.update((each.id, (user_id, each)) for user_id, each in sessions)

    def add_audit_entries(self, entries: Iterable[AuditEntry]) -> None:
        self._tables.audit_entries = [*self._tables.audit_entries, *entries]

    def raise_last_ids(self, last: LastIds) -> None:
        now = self._tables.last
        self._tables.last = LastIds(
            max(now.user, last.user),
            max(now.article, last.article),
            max(now.session, last.session),
        )
