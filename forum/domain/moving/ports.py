"""What moving needs from outside."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from forum.domain.model import (
    Account,
    Article,
    AuditEntry,
    Counts,
    LastIds,
    Session,
)


class BulkStore(Protocol):
    """A whole store, for moving it elsewhere.

    Everything is read and written inside `snapshot` or `exclusive`. Whatever is read is checked:
    `UnreadableRow` is raised at what no other store should get.
    """

    def snapshot(self) -> AbstractContextManager[object]:
        """One consistent state of the store; others may go on writing."""

    def exclusive(self) -> AbstractContextManager[object]:
        """All or nothing: an exception takes back everything that was written inside.

        Nobody else writes at the same time. Ids that were raised may stay raised: it costs nothing
        but numbers.
        """

    def counts(self) -> Counts:
        """How many there are of each, counted without reading them."""

    def accounts(self) -> Iterator[Account]:
        """Every account, by id."""

    def articles(self) -> Iterator[Article]:
        """Every article, by id."""

    def sessions(self) -> Iterator[tuple[int, Session]]:
        """Every session with the id of its user, by id; some may have expired."""

    def audit_entries(self) -> Iterator[AuditEntry]:
        """Every entry of the audit trail, in their order."""

    def last_ids(self) -> LastIds:
        """The ids after which new ones are given."""

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        """Store accounts under the ids that they have."""

    def add_articles(self, articles: Iterable[Article]) -> None:
        """Store articles under the ids that they have, by authors who are there."""

    def add_sessions(self, sessions: Iterable[tuple[int, Session]]) -> None:
        """Store sessions under the ids that they have, of users who are there."""

    def add_audit_entries(self, entries: Iterable[AuditEntry]) -> None:
        """Store entries of the audit trail after those that are there."""

    def raise_last_ids(self, last: LastIds) -> None:
        """Make sure that no id up to these is given again."""
