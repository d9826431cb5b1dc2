"""The services of the domain on given ports: one wiring, for production and for all tests."""

from dataclasses import dataclass
from datetime import timedelta

from forum.domain.administration import Administration
from forum.domain.articles import ArticleService, Limits
from forum.domain.ports import Clock, Events, PasswordHasher, Repositories, Tokens
from forum.domain.sessions import SessionService
from forum.domain.throttle import Limits as ThrottleLimits
from forum.domain.throttle import Throttle
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
    events: Events,
    token_lifetime: timedelta,
    article_limits: Limits,
    throttle_limits: ThrottleLimits | None,
) -> Services:
    """The services for clients."""
    throttle = Throttle(repositories.counters, clock, events, throttle_limits)
    users = UserService(repositories.users, hasher, clock, throttle, events)
    sessions = SessionService(
        repositories.users,
        repositories.sessions,
        hasher,
        tokens,
        clock,
        throttle,
        events,
        token_lifetime,
    )
    articles = ArticleService(repositories.articles, users, clock, throttle, events, article_limits)
    return Services(users, sessions, articles)


def wire_administration(
    repositories: Repositories, *, hasher: PasswordHasher, clock: Clock, events: Events
) -> Administration:
    """The service for operators."""
    return Administration(repositories.users, repositories.sessions, hasher, clock, events)
