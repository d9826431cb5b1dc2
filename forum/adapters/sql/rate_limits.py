"""Counters on a SQL database: one row for each key, changed in place, so that they are exact everywhere."""

from collections.abc import Sequence
from datetime import datetime

from peewee import EXCLUDED, SQL, Case, Select, Table

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import UNREADABLE
from forum.adapters.sql.statements import compile_query, lock, slot
from forum.domain.model import Quota

_FORGOTTEN = 10
"""Counters that each use clears away, at most: more than it makes."""


class SqlCounters:
    """`Counters` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        counter = Table("counters")
        one = SQL("1")
        # A window is over when its end has come, or lies further ahead than a whole window does:
        # then the clock was put back, and waiting for it would shut everybody out.
        is_over = (counter.c.resets <= slot("now")) | (counter.c.resets > EXCLUDED.resets)
        self._take = compile_query(
            database,
            counter.insert(
                {counter.c.key: slot("key"), counter.c.taken: one, counter.c.resets: slot("resets")}
            )
            .on_conflict(
                conflict_target=[counter.c.key],
                update={
                    counter.c.taken: Case(None, [(is_over, one)], counter.c.taken + one),
                    counter.c.resets: Case(None, [(is_over, EXCLUDED.resets)], counter.c.resets),
                },
                where=is_over | (counter.c.taken < slot("limit")),
            )
            .returning(counter.c.taken),
            "key", "resets", "now", "now", "now", "limit",
        )  # fmt: skip
        self._find_reset = compile_query(
            database, counter.select(counter.c.resets).where(counter.c.key == slot("key")), "key"
        )
        self._forget = compile_query(
            database,
            counter.delete().where(counter.c.key == slot("key")).returning(one),
            "key",
        )
        self._give_back = compile_query(
            database,
            counter.update({counter.c.taken: counter.c.taken - one})
            .where(counter.c.key == slot("key"), counter.c.resets > slot("now"))
            .returning(counter.c.taken),
            "key", "now",
        )  # fmt: skip
        self._forget_over = compile_query(
            database,
            counter.delete().where(counter.c.key.in_(_over(database, counter))).returning(one),
            "now",
        )

    def take(self, quotas: Sequence[Quota], now: datetime) -> datetime | None:
        try:
            with self._database.all_or_nothing():
                for quota in quotas:
                    self._take_one(quota, now)
        except _UsedUp as used_up:
            return used_up.until
        self._database.write(self._forget_over, self._database.store_time(now))
        return None

    def give_back(self, quotas: Sequence[Quota], now: datetime) -> None:
        with self._database.all_or_nothing():
            for quota in quotas:
                self._database.write(self._give_back, quota.key, self._database.store_time(now))

    def _take_one(self, quota: Quota, now: datetime) -> None:
        moment = self._database.store_time(now)
        resets = self._database.store_time(now + quota.window)
        parameters = (quota.key, resets, moment, moment, moment, quota.limit)
        if self._database.write(self._take, *parameters):
            return
        [(until,)] = self._database.read(self._find_reset, quota.key)
        try:
            raise _UsedUp(self._database.load_time(until))
        except UNREADABLE:  # Nobody can know when it is over, so it is over now.
            self._database.write(self._forget, quota.key)
            self._database.write(self._take, *parameters)


class _UsedUp(Exception):
    """Ends the transaction, so that the quotas before this one are not counted either."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def _over(database: Database, counter: Table) -> Select:
    """Some counters whose windows are over; where rows can be locked, only those that nobody else uses."""
    old = counter.alias("old")
    query = old.select(old.c.key).where(old.c.resets <= slot("now")).limit(SQL(str(_FORGOTTEN)))
    return lock(database, query, "FOR UPDATE SKIP LOCKED")
