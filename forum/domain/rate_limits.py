"""How often something may be tried."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from forum.domain.errors import TooManyRequests
from forum.domain.model import Quota
from forum.domain.ports import AuditLog, RateCounters

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How many of each; failed logins in one `window`, the others in a minute or an hour."""

    failures_of_name: int
    failures_of_address: int
    failures_of_all: int
    window: timedelta
    registrations_in_minute: int
    registrations_in_hour: int
    posts_in_minute: int


class RateLimiter:
    """Refuses, before anything costly is done for them, those who try too often."""

    def __init__(
        self, counters: RateCounters, audit_log: AuditLog, limits: RateLimits | None
    ) -> None:
        """Without limits everybody may do everything."""
        self._counters = counters
        self._audit_log = audit_log
        self._limits = limits

    @contextmanager
    def attempt(self, username: str, address: str, now: datetime) -> Iterator[None]:
        """A login: it counts as failed from the beginning, unless the block ends without a refusal.

        A name is counted together with the address, so that no stranger can lock its owner out.
        Raises `TooManyRequests`.
        """
        quotas = self._login(username, address)
        self._acquire(quotas, now, action="login", address=address)
        yield
        if quotas:
            self._counters.refund(quotas, now)

    def admit_registration(self, address: str, now: datetime) -> None:
        """Count a registration. Raises `TooManyRequests`."""
        if self._limits:
            quotas = [
                Quota(f"register minute {address}", self._limits.registrations_in_minute, _MINUTE),
                Quota(f"register hour {address}", self._limits.registrations_in_hour, _HOUR),
            ]
            self._acquire(quotas, now, action="register", address=address)

    def admit_post(self, user_id: int, now: datetime) -> None:
        """Count a new article. Raises `TooManyRequests`."""
        if self._limits:
            quota = Quota(f"post {user_id}", self._limits.posts_in_minute, _MINUTE)
            self._acquire([quota], now, action="post", user=user_id)

    def _login(self, username: str, address: str) -> list[Quota]:
        if not self._limits:
            return []
        limits, window = self._limits, self._limits.window
        return [
            Quota(f"login {address} {_digest(username)}", limits.failures_of_name, window),
            Quota(f"login {address}", limits.failures_of_address, window),
            Quota("login", limits.failures_of_all, window),
        ]

    def _acquire(self, quotas: Sequence[Quota], now: datetime, **details: object) -> None:
        free = self._counters.acquire(quotas, now) if quotas else None
        if free:
            self._audit_log.record("too many requests", **details)
            raise TooManyRequests(max(1, math.ceil((free - now).total_seconds())))


def _digest(username: str) -> str:
    # People type their passwords there too, and a store should not keep them.
    return hashlib.sha256(username.encode()).hexdigest()
