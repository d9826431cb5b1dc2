"""The services on memory, with a clock that stands and a hasher that counts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.audit import MemoryAuditTrail
from forum.adapters.memory.rate_limits import MemoryRateCounters
from forum.adapters.memory.sessions import MemorySessions
from forum.adapters.memory.tables import MemoryTables
from forum.adapters.memory.users import MemoryUsers
from forum.domain.articles import ArticleLimits
from forum.domain.errors import Unavailable
from forum.domain.model import TokenClaims, User
from forum.domain.rate_limits import RateLimits
from forum.domain.repositories import Repositories
from forum.services import wire, wire_administration

HERE = "192.0.2.1"
THERE = "198.51.100.1"
PASSWORD = "Password#1"
LIFETIME = timedelta(days=14)
AUDIT_LIFETIME = timedelta(days=90)

LIMITS = RateLimits(
    failures_of_name=3,
    failures_of_address=5,
    failures_of_all=8,
    window=timedelta(minutes=5),
    registrations_in_minute=4,
    registrations_in_hour=6,
    posts_in_minute=3,
)


@dataclass
class StoppedClock:
    """A clock that stands until it is moved."""

    moment: datetime = datetime(2020, 2, 2, 0, 17, 49, 735642, UTC)

    def now(self) -> datetime:
        return self.moment


@dataclass
class CountingHasher:
    """Marks passwords instead of hashing them, and counts how often."""

    mark: str = "v1"
    count: int = 0

    def hash(self, password: str) -> str:
        self.count += 1
        return f"{self.mark} {password}"

    def verify(self, password_hash: str | None, password: str) -> bool:
        self.count += 1
        return password_hash is not None and password_hash.partition(" ")[2] == password

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(self.mark)


class OpenTokens:
    """Tokens that anybody could forge."""

    has_secret = True

    def require_secret(self) -> None:
        if not self.has_secret:
            raise Unavailable

    def issue(self, claims: TokenClaims) -> str:
        return f"{claims.session_id} {claims.user_id} {claims.expires.isoformat()}"

    def read(self, token: str) -> TokenClaims | None:
        if token == "garbage":
            return None
        session_id, user_id, expires = token.split()
        return TokenClaims(int(session_id), int(user_id), datetime.fromisoformat(expires))


@dataclass
class KeptAuditLog:
    """Keeps every event."""

    all: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def record(self, event: str, **details: object) -> None:
        self.all.append((event, details))

    def names(self) -> list[str]:
        return [name for name, _ in self.all]


class Forum:
    """The whole domain."""

    def __init__(
        self,
        limits: RateLimits | None = None,
        store: MemoryTables | None = None,
        articles: Any = None,
    ) -> None:
        self.store = store or MemoryTables()
        self.clock = StoppedClock()
        self.hasher = CountingHasher()
        self.audit_log = KeptAuditLog()
        repositories = Repositories(
            MemoryUsers(self.store),
            MemorySessions(self.store),
            articles or MemoryArticles(self.store),
            MemoryRateCounters(),
            MemoryAuditTrail(self.store),
            lambda: self.store.lock,
        )
        services = wire(
            repositories,
            hasher=self.hasher,
            tokens=OpenTokens(),
            clock=self.clock,
            audit_log=self.audit_log,
            audit_lifetime=AUDIT_LIFETIME,
            token_lifetime=LIFETIME,
            article_limits=ArticleLimits(page_size=3, title=10, text=20),
            rate_limits=limits,
        )
        self.users, self.sessions = services.users, services.sessions
        self.articles = services.articles
        self.audit = repositories.audit
        self.administration = wire_administration(
            repositories,
            hasher=self.hasher,
            clock=self.clock,
            audit_log=self.audit_log,
            audit_lifetime=AUDIT_LIFETIME,
            operator="operator root",
            host="a-machine",
        )

    def register(self, username: str = "alice#1") -> User:
        return self.users.register(username=username, password=PASSWORD, address=HERE)

    def log_in(self, username: str = "alice#1", password: str = PASSWORD, at: str = HERE) -> str:
        return self.sessions.log_in(username=username, password=password, address=at).token


@pytest.fixture
def forum() -> Forum:
    return Forum()


@pytest.fixture
def alice(forum: Forum) -> User:
    return forum.register("alice#1")


@pytest.fixture
def bob(forum: Forum, alice: User) -> User:
    return forum.register("bobby#2")
