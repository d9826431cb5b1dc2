"""A store of one's own: everything in one pickle, read before each call and written after it."""

import pickle
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from forum.adapters.memory.rate_limits import MemoryRateCounters
from forum.adapters.memory.tables import MemoryTables
from forum.domain.repositories import Repositories
from forum.repositories import memory_repositories

if TYPE_CHECKING:
    from forum.domain.ports import (
        ArticleRepository,
        AuditTrail,
        RateCounters,
        SessionRepository,
        UserRepository,
    )


class _Kept:
    """One repository in memory, whose data survives in the file."""

    def __init__(self, path: Path, lock: Any, noun: str) -> None:
        self._path = path
        self._lock = lock
        self._noun = noun

    def __getattr__(self, method: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                tables = MemoryTables()
                if self._path.exists():
                    vars(tables).update(pickle.loads(self._path.read_bytes()))
                repository = getattr(memory_repositories(tables), self._noun)
                result = getattr(repository, method)(*arguments, **named)
                kept = {name: value for name, value in vars(tables).items() if name != "lock"}
                self._path.write_bytes(pickle.dumps(kept))
                return result

        return call


def toy_repositories(path: Path) -> Repositories:
    """Repositories in this file, but for the counters."""
    lock = RLock()
    return Repositories(
        cast("UserRepository", _Kept(path, lock, "users")),
        cast("SessionRepository", _Kept(path, lock, "sessions")),
        cast("ArticleRepository", _Kept(path, lock, "articles")),
        cast("RateCounters", MemoryRateCounters()),
        cast("AuditTrail", _Kept(path, lock, "audit")),
    )
