"""The services of the domain on given ports: one wiring, for production and for all tests."""

from dataclasses import dataclass
from datetime import timedelta

from forum.domain.administration import Administration
from forum.domain.articles import ArticleLimits, ArticleService
from forum.domain.audit import Auditor
from forum.domain.ports import AuditLog, Clock, PasswordHasher, Tokens
from forum.domain.rate_limits import RateLimiter, RateLimits
from forum.domain.repositories import Repositories
from forum.domain.sessions import SessionService
from forum.domain.users import UserService


@dataclass(frozen=True, slots=True)
class Services:
    """What clients may ask for."""

    users: UserService
    sessions: SessionService
    articles: ArticleService


def wire(
    repositories: Repositories,
    *,
    hasher: PasswordHasher,
    tokens: Tokens,
    clock: Clock,
    audit_log: AuditLog,
    audit_lifetime: timedelta,
    token_lifetime: timedelta,
    article_limits: ArticleLimits,
    rate_limits: RateLimits | None,
) -> Services:
    """The services for clients."""
    rate_limiter = RateLimiter(repositories.rate_counters, audit_log, rate_limits)
    auditor = Auditor(repositories.audit, repositories.transaction, audit_log, audit_lifetime)
    users = UserService(repositories.users, hasher, clock, rate_limiter, auditor)
    sessions = SessionService(
        repositories.users,
        repositories.sessions,
        hasher,
        tokens,
        clock,
        rate_limiter,
        auditor,
        audit_log,
        token_lifetime,
    )
    articles = ArticleService(
        repositories.articles, users, clock, rate_limiter, audit_log, article_limits
    )
    return Services(users, sessions, articles)


def wire_administration(
    repositories: Repositories,
    *,
    hasher: PasswordHasher,
    clock: Clock,
    audit_log: AuditLog,
    audit_lifetime: timedelta,
    operator: str,
    host: str,
) -> Administration:
    """The service for operators, one of whom acts from a host."""
    auditor = Auditor(
        repositories.audit, repositories.transaction, audit_log, audit_lifetime, operator
    )
    return Administration(repositories.users, repositories.sessions, hasher, clock, auditor, host)
