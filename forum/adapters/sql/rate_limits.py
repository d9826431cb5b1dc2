"""Rate counters on a SQL database.

One row for each key, changed in place, so that they are exact everywhere.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from peewee import EXCLUDED, SQL, Case

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import UNREADABLE
from forum.adapters.sql.statements import LockingSelect, Statement, param
from forum.adapters.sql.tables import counters
from forum.domain.model import Quota

_FORGOTTEN = 10
"""Counters that the beginning of a window clears away, at most: more than it makes."""

_ONE = SQL("1")

# A window is over when its end has come, or lies further ahead than it can: then the clock was put
# back, and waiting for it would shut everybody out.
_IS_OVER = (counters.c.resets <= param("now")) | (counters.c.resets > param("latest"))

# Where rows can be locked, only those that nobody else uses.
_old = counters.alias("old")
_OVER = (
    LockingSelect(_old, _old.c.key)
    .where(_old.c.resets <= param("now"))
    .limit(SQL(str(_FORGOTTEN)))
    .locking("FOR UPDATE SKIP LOCKED")
)

ACQUIRE = Statement(
    counters.insert(
        {
            counters.c.key: param("key"),
            counters.c.taken: _ONE,
            counters.c.resets: param("resets"),
        }
    )
    .on_conflict(
        conflict_target=[counters.c.key],
        update={
            counters.c.taken: Case(None, [(_IS_OVER, _ONE)], counters.c.taken + _ONE),
            counters.c.resets: Case(None, [(_IS_OVER, EXCLUDED.resets)], counters.c.resets),
        },
        where=_IS_OVER | (counters.c.taken < param("limit")),
    )
    .returning(counters.c.taken)
)
FIND_RESET = Statement(counters.select(counters.c.resets).where(counters.c.key == param("key")))
FORGET = Statement(counters.delete().where(counters.c.key == param("key")))
REFUND = Statement(
    counters.update({counters.c.taken: counters.c.taken - _ONE}).where(
        counters.c.key == param("key"), counters.c.resets > param("now")
    )
)
FORGET_OVER = Statement(counters.delete().where(counters.c.key.in_(_OVER)))


class SqlRateCounters:
    """`RateCounters` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, quotas: Sequence[Quota], now: datetime) -> datetime | None:
        try:
            with self._database.relaxed():
                self._acquire_all(quotas, now)
        except _UsedUp as used_up:
            return used_up.until
        return None

    def refund(self, quotas: Sequence[Quota], now: datetime) -> None:
        with self._database.relaxed(), self._database.transaction():
            for quota in quotas:
                self._database.write(REFUND, key=quota.key, now=now)

    def _acquire_all(self, quotas: Sequence[Quota], now: datetime) -> None:
        # One alone is a single statement, which needs no transaction of its own.
        with self._database.transaction() if len(quotas) > 1 else nullcontext():
            is_new = [self._acquire_one(quota, now) for quota in quotas]
        if any(is_new):
            self._database.write(FORGET_OVER, now=now)

    def _acquire_one(self, quota: Quota, now: datetime) -> bool:
        """Whether a window begins with it. Raises `_UsedUp`."""
        parameters = {
            "key": quota.key,
            "limit": quota.limit,
            "now": now,
            "resets": now + quota.window,
            "latest": quota.latest_end(now),
        }
        for (taken,) in self._database.write(ACQUIRE, **parameters):
            return bool(taken == 1)
        [(until,)] = self._database.read(FIND_RESET, key=quota.key)
        try:
            raise _UsedUp(self._database.from_stored(until))
        except UNREADABLE:  # Nobody can know when it is over, so it is over now.
            self._database.write(FORGET, key=quota.key)
            self._database.write(ACQUIRE, **parameters)
            return True


class _UsedUp(Exception):
    """Ends the transaction, so that the quotas before this one are not counted either."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until
