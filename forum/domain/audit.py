"""What is done to accounts, kept with the act itself and told to the log when it is done."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from forum.domain.model import AuditEntry, User
from forum.domain.ports import AuditLog, AuditTrail

Transaction = Callable[[], AbstractContextManager[object]]
"""All or nothing for what is written inside."""


class Act:
    """What is being done, until it is known of whom and how much."""

    def __init__(self, event: str, user: User | None) -> None:
        self.user = user
        self._event = event
        self._details: list[dict[str, object]] | None = None

    def add(self, **details: object) -> None:
        """Say what exactly was done."""
        self._details = [details]

    def add_each(self, name: str, values: Iterable[object]) -> None:
        """Say that something was done once for each value: not at all, if there are none."""
        self._details = [{name: value} for value in values]

    def events(self) -> Iterator[tuple[str, dict[str, object]]]:
        """The events, each with its details."""
        return ((self._event, each) for each in ([{}] if self._details is None else self._details))


class Auditor:
    """Writes the history of accounts.

    An act and its entries are committed together, or not at all.
    """

    def __init__(
        self,
        trail: AuditTrail,
        transaction: Transaction,
        log: AuditLog,
        lifetime: timedelta,
        actor: str | None = None,
    ) -> None:
        """Entries older than `lifetime` are forgotten in time.

        Without an `actor` it is the user of each act who acts.
        """
        self._trail = trail
        self._transaction = transaction
        self._log = log
        self._lifetime = lifetime
        self._actor = actor

    @contextmanager
    def act(
        self, event: str, now: datetime, user: User | None = None, address: str = ""
    ) -> Iterator[Act]:
        """A block that does something to the account of a user, who may be known at its end only.

        `address` is where whoever acts calls from. An exception takes back all of it.
        """
        act = Act(event, user)
        with self._transaction():
            yield act
            for name, details in act.events():
                self._keep(name, now, act.user, address, details)
        for name, details in act.events():
            whom = {"user": act.user.id} if act.user else {}
            where = {"address": address} if address else {}
            self._log.record(name, **whom, **details, **where)

    def note(self, event: str, now: datetime, user: User | None, address: str) -> None:
        """Keep something that happened to an account; without a user it is in the log alone."""
        if user:
            with self.act(event, now, user, address):
                pass
        else:
            self._log.record(event, user=None, address=address)

    def _keep(
        self,
        event: str,
        now: datetime,
        user: User | None,
        address: str,
        details: dict[str, object],
    ) -> None:
        if user is None:
            return
        entry = AuditEntry(
            moment=now,
            event=event,
            actor=self._actor or f"user {user.id}",
            user_id=user.id,
            username=user.username,
            address=address,
            details=" ".join(f"{name}={value}" for name, value in details.items()),
        )
        self._trail.add(entry, forget_before=now - self._lifetime)
