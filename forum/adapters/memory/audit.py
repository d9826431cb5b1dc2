"""The audit trail in memory."""

from datetime import datetime

from forum.adapters.memory.tables import MemoryTables
from forum.domain.model import AuditEntry


class MemoryAuditTrail:
    """An `AuditTrail` in memory."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def add(self, entry: AuditEntry, forget_before: datetime) -> None:
        with self._tables.lock:
            kept = [each for each in self._tables.audit_entries if each.moment >= forget_before]
            self._tables.audit_entries = [*kept, entry]

    def latest(self, username: str | None, limit: int) -> list[AuditEntry]:
        with self._tables.lock:
            entries = self._tables.audit_entries
            found = [each for each in entries if username in (None, each.username)]
            return found[::-1][:limit]
