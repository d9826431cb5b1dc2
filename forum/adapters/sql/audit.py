"""The audit trail on a SQL database."""

from datetime import datetime

from peewee import SQL

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import read_all, require_text
from forum.adapters.sql.statements import LockingSelect, Statement, param
from forum.adapters.sql.tables import audit_entries
from forum.domain.model import AuditEntry

_FORGOTTEN = 2
"""Entries that each new one clears away, at most: more than it makes, and few if the time is wrong.
"""

COLUMNS = ("moment", "event", "actor", "user_id", "username", "address", "details")

# Where rows can be locked, only those that nobody else clears away.
_old = audit_entries.alias("old")
_EXPIRED = (
    LockingSelect(_old, _old.c.id)
    .where(_old.c.moment < param("forget_before"))
    .order_by(_old.c.moment)
    .limit(SQL(str(_FORGOTTEN)))
    .locking("FOR UPDATE SKIP LOCKED")
)
_ALL = audit_entries.select(*(getattr(audit_entries.c, each) for each in COLUMNS))

ADD = Statement(
    audit_entries.insert({getattr(audit_entries.c, each): param(each) for each in COLUMNS})
)
FORGET = Statement(audit_entries.delete().where(audit_entries.c.id.in_(_EXPIRED)))
LATEST = Statement(_ALL.order_by(audit_entries.c.id.desc()).limit(param("limit")))
LATEST_OF = Statement(
    _ALL.where(audit_entries.c.username == param("username"))
    .order_by(audit_entries.c.id.desc())
    .limit(param("limit"))
)


class SqlAuditTrail:
    """An `AuditTrail` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry, forget_before: datetime) -> None:
        with self._database.transaction():
            self._database.write(ADD, **{each: getattr(entry, each) for each in COLUMNS})
            self._database.write(FORGET, forget_before=forget_before)

    def latest(self, username: str | None, limit: int) -> list[AuditEntry]:
        rows = (
            self._database.read(LATEST, limit=limit)
            if username is None
            else self._database.read(LATEST_OF, username=username, limit=limit)
        )
        return read_all("audit_entries", self._entry, rows)

    def _entry(self, moment: object, *columns: object) -> AuditEntry:
        event, actor, user_id, *rest = columns
        username, address, details = map(require_text, rest)
        return AuditEntry(
            moment=self._database.from_stored(moment),
            event=require_text(event),
            actor=require_text(actor),
            user_id=int(str(user_id)),
            username=username,
            address=address,
            details=details,
        )
