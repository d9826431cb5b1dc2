"""What of a store the domain works on."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from forum.domain.ports import (
    ArticleRepository,
    AuditTrail,
    RateCounters,
    SessionRepository,
    UserRepository,
)


@dataclass(frozen=True, slots=True)
class Repositories:
    """The ports of one store together."""

    users: UserRepository
    sessions: SessionRepository
    articles: ArticleRepository
    rate_counters: RateCounters
    audit: AuditTrail
    transaction: Callable[[], AbstractContextManager[object]] = nullcontext
    """All or nothing for what any of them writes inside, where the store can do that."""
