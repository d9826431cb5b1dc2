"""The tables in memory, which the repositories share."""

import threading

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
        self.accounts: dict[int, Account] = {}
        self.articles: dict[int, Article] = {}
        self.sessions: dict[int, tuple[int, Session]] = {}
        self.audit_entries: list[AuditEntry] = []
        self.last = LastIds(0, 0)
