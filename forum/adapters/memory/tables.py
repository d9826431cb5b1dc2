"""The tables in memory, which the repositories share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from forum.domain.model import (
    Account,
    Article,
    AuditEntry,
    LastIds,
    Session,
)


class MemoryTables:
    """The tables and their lock, shared by the repositories."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.version = 0
        """How many changes there were."""
        self.accounts: dict[int, Account] = {}
        self.articles: dict[int, Article] = {}
        self.sessions: dict[int, tuple[int, Session]] = {}
        self.audit_entries: list[AuditEntry] = []
        self.last = LastIds(0, 0)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock, and count a change in the end."""
        with self.lock:
            try:
                yield
            finally:
                self.version += 1
