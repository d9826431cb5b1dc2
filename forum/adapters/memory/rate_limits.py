"""Rate counters in memory."""

import threading
from collections.abc import Sequence
from datetime import datetime

from forum.domain.model import (
    Quota,
)


class MemoryRateCounters:
    """`RateCounters` in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, datetime]] = {}

    def acquire(self, quotas: Sequence[Quota], now: datetime) -> datetime | None:
        with self._lock:
            self._forget_over(now)
            for quota in quotas:
                taken, resets = self._count(quota, now)
                if taken >= quota.limit:
                    return resets
            for quota in quotas:
                taken, resets = self._count(quota, now)
                self._counts[quota.key] = taken + 1, resets
            return None

    def refund(self, quotas: Sequence[Quota], now: datetime) -> None:
        with self._lock:
            for quota in quotas:
                taken, resets = self._count(quota, now)
                if taken:
                    self._counts[quota.key] = taken - 1, resets

    def _count(self, quota: Quota, now: datetime) -> tuple[int, datetime]:
        end = now + quota.window
        taken, resets = self._counts.get(quota.key, (0, end))
        # Or else the clock was put back.
        return (taken, resets) if resets <= quota.latest_end(now) else (0, end)

    def _forget_over(self, now: datetime) -> None:
        self._counts = {key: each for key, each in self._counts.items() if each[1] > now}
