"""Sessions on a SQL database."""

from datetime import datetime
from functools import partial

from peewee import SQL

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import read_all, read_one
from forum.adapters.sql.statements import LockingSelect, Statement, param
from forum.adapters.sql.tables import sessions, users
from forum.adapters.sql.users import user_of
from forum.domain.model import FORGOTTEN, WITNESSES, Account, Principal, Session, TokenClaims

_SESSION = (sessions.c.id, sessions.c.created, sessions.c.last_used, sessions.c.expires)
_IS_OF_USER = sessions.c.user_id == param("user_id")
_IS_ENABLED = users.c.is_disabled == SQL("false")

# Locked, or else a session could begin under a password that is changed at that moment.
_OWNER = (
    LockingSelect(users, users.c.id, param("created"), param("last_used"), param("expires"))
    .where(users.c.id == param("user_id"), users.c.password_hash == param("hash"), _IS_ENABLED)
    .locking("FOR SHARE")
)

# Where rows can be locked, only those that nobody else clears away.
_old = sessions.alias("old")
_EXPIRED = (
    LockingSelect(_old, _old.c.id)
    .where(_old.c.expires <= param("now"))
    .order_by(_old.c.expires)
    .limit(SQL(str(FORGOTTEN)))
    .locking("FOR UPDATE SKIP LOCKED")
)

BEGIN = Statement(
    sessions.insert(
        _OWNER,
        columns=[
            sessions.c.user_id,
            sessions.c.created,
            sessions.c.last_used,
            sessions.c.expires,
        ],
    ).returning(sessions.c.id)
)
FIND = Statement(
    sessions.select(*_SESSION, users.c.id, users.c.username, users.c.date_registered)
    .join(users, on=(users.c.id == sessions.c.user_id))
    .where(
        sessions.c.id == param("id"), _IS_OF_USER, sessions.c.expires > param("now"), _IS_ENABLED
    )
)
FIND_ALL = Statement(
    sessions.select(*_SESSION)
    .where(_IS_OF_USER, sessions.c.expires > param("now"))
    .order_by(sessions.c.id.desc())
)
FIND_WITNESS = Statement(
    sessions.select(sessions.c.id, sessions.c.created)
    .where(sessions.c.id <= param("newest"))
    .order_by(sessions.c.id.desc())
    .limit(SQL("1"))
    .offset(SQL(str(WITNESSES - 1)))
)
TOUCH = Statement(
    sessions.update({sessions.c.last_used: param("now")}).where(sessions.c.id == param("id"))
)
END = Statement(
    sessions.delete().where(sessions.c.id == param("id"), _IS_OF_USER).returning(*_SESSION)
)
END_ALL = Statement(
    sessions.delete().where(_IS_OF_USER, sessions.c.id != param("but")).returning(*_SESSION)
)
FORGET_EXPIRED = Statement(sessions.delete().where(sessions.c.id.in_(_EXPIRED)))


class SqlSessions:
    """A `SessionRepository` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._user = partial(user_of, database)

    def begin(self, account: Account, created: datetime, expires: datetime) -> Session | None:
        with self._database.transaction():
            rows = self._database.write(
                BEGIN,
                user_id=account.user.id,
                hash=account.password_hash,
                created=created,
                last_used=created,
                expires=expires,
            )
            # Afterwards: who holds locks of expired sessions must wait for nobody.
            for (id,) in rows:
                self._forget_expired(id, created)
        for (id,) in rows:
            return Session(id, created, created, expires)
        return None

    def _forget_expired(self, newest: int, now: datetime) -> None:
        def began(id: int, created: object) -> datetime:
            return self._database.from_stored(created)

        rows = self._database.read(FIND_WITNESS, newest=newest)
        for known in read_all("sessions", began, rows):
            self._database.write(FORGET_EXPIRED, now=min(now, known))

    def find(self, claims: TokenClaims, now: datetime) -> Principal | None:
        rows = self._database.read(FIND, id=claims.session_id, user_id=claims.user_id, now=now)
        session = read_one("sessions", self._session, [row[:4] for row in rows])
        user = read_one("users", self._user, [row[4:] for row in rows])
        return Principal(user, session) if user and session else None

    def find_all(self, user_id: int, now: datetime) -> list[Session]:
        rows = self._database.read(FIND_ALL, user_id=user_id, now=now)
        return read_all("sessions", self._session, rows)

    def touch(self, session_id: int, now: datetime) -> None:
        self._database.write(TOUCH, id=session_id, now=now)

    def end(self, session_id: int, user_id: int) -> Session | None:
        with self._database.transaction():  # What cannot be returned is not ended either.
            rows = self._database.write(END, id=session_id, user_id=user_id)
            return read_one("sessions", self._session, rows)

    def end_all(self, user_id: int, but: int | None = None) -> list[Session]:
        rows = self._database.write(END_ALL, user_id=user_id, but=but or 0)
        return read_all("sessions", self._session, rows)

    def _session(self, id: int, created: object, last_used: object, expires: object) -> Session:
        return Session(id, *map(self._database.from_stored, (created, last_used, expires)))
