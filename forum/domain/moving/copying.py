"""Moving everything from one store to another."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from forum.domain.model import Counts
from forum.domain.moving.ports import BulkStore

T = TypeVar("T")


class Progress(Protocol):
    """Shows how long work goes on."""

    def __call__(self, label: str, items: Iterable[T], length: int | None = None) -> Iterable[T]:
        """The same items, shown as they pass; `length` is their number where it is known."""


class StoreNotEmpty(Exception):
    """The target has users or articles already; nothing was written."""


class CopyDiffers(Exception):
    """What the target gives back is not what the source has; nothing was written."""


class UnreadableRow(Exception):
    """A row that cannot be moved; nothing was written.

    `column` is None where the whole row is unreadable.
    """

    def __init__(self, table: str, id: object, column: str | None = None) -> None:
        super().__init__(table, id, column)
        self.table = table
        self.id = id
        self.column = column


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many of each there are, and a checksum (SHA-256) of all of them in order."""

    counts: Counts
    checksum: str


def copy(source: BulkStore, target: BulkStore, progress: Progress) -> Fingerprint:
    """Put everything that the source has into the empty target, ids included, and read it back.

    All or nothing. Raises `StoreNotEmpty`, `CopyDiffers`, `UnreadableRow`.
    """
    with source.snapshot(), target.exclusive():
        require_empty(target)
        there = source.counts()
        target.add_accounts(progress("users", source.accounts(), there.accounts))
        target.add_articles(progress("articles", source.articles(), there.articles))
        target.add_sessions(progress("sessions", source.sessions(), there.sessions))
        entries = progress("audit", source.audit_entries(), there.audit_entries)
        target.add_audit_entries(entries)
        target.raise_last_ids(source.last_ids())
        expected, actual = fingerprint_of(source), fingerprint_of(target)
        if expected != actual or {there, target.counts()} != {actual.counts}:
            raise CopyDiffers
        return actual


def require_empty(target: BulkStore) -> None:
    """Raise `StoreNotEmpty` unless there is nobody and nothing."""
    if replace(target.counts(), audit_entries=0) != Counts(0, 0, 0):
        raise StoreNotEmpty


def fingerprint_of(store: BulkStore) -> Fingerprint:
    """The fingerprint of all that is in the store."""
    checksum = hashlib.sha256()

    def count(items: Iterable[object]) -> int:
        number = 0
        for item in items:
            checksum.update(repr(item).encode())
            number += 1
        return number

    every = store.accounts(), store.articles(), store.sessions(), store.audit_entries()
    counts = Counts(*map(count, every))
    return Fingerprint(counts, checksum.hexdigest())
