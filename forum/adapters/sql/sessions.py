"""Sessions on a SQL database."""

from datetime import datetime

from peewee import SQL, Select, Table

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import Values, read_all, read_one
from forum.adapters.sql.statements import compile_query, lock, slot
from forum.domain.model import Account, Credentials, Session, Visitor
from forum.domain.ports import FORGOTTEN, WITNESSES


class SqlSessions:
    """A `SessionRepository` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values = Values(database.load_time)
        session, user = Table("sessions"), Table("users")
        whole = (session.c.id, session.c.created, session.c.last_used, session.c.expires)
        own = session.c.user_id == slot("user")
        self._find = compile_query(
            database,
            session.select(*whole, user.c.id, user.c.username, user.c.date_registered)
            .join(user, on=(user.c.id == session.c.user_id))
            .where(
                session.c.id == slot("id"),
                own,
                session.c.expires > slot("now"),
                user.c.is_disabled == SQL("false"),
            ),
            "id",
            "user",
            "now",
        )
        self._find_all = compile_query(
            database,
            session.select(*whole)
            .where(own, session.c.expires > slot("now"))
            .order_by(session.c.id.desc()),
            "user",
            "now",
        )
        owner = user.select(user.c.id, slot("created"), slot("used"), slot("expires")).where(
            user.c.id == slot("user"),
            user.c.password_hash == slot("hash"),
            user.c.is_disabled == SQL("false"),
        )
        # Locked, or else a session could begin under a password that is changed at that moment.
        self._begin = compile_query(
            database,
            session.insert(
                lock(database, owner, "FOR SHARE"),
                columns=[
                    session.c.user_id,
                    session.c.created,
                    session.c.last_used,
                    session.c.expires,
                ],
            ).returning(session.c.id),
            "created",
            "used",
            "expires",
            "user",
            "hash",
        )
        self._touch = compile_query(
            database,
            session.update({session.c.last_used: slot("moment")})
            .where(session.c.id == slot("id"))
            .returning(session.c.id),
            "moment",
            "id",
        )
        self._end = compile_query(
            database,
            session.delete().where(session.c.id == slot("id"), own).returning(*whole),
            "id",
            "user",
        )
        self._end_all = compile_query(
            database,
            session.delete().where(own, session.c.id != slot("but")).returning(*whole),
            "user",
            "but",
        )
        self._witness = compile_query(
            database,
            session.select(session.c.id, session.c.created)
            .where(session.c.id <= slot("newest"))
            .order_by(session.c.id.desc())
            .limit(SQL("1"))
            .offset(SQL(str(WITNESSES - 1))),
            "newest",
        )
        self._forget_expired = compile_query(
            database,
            session.delete()
            .where(session.c.id.in_(_expired(database, session)))
            .returning(session.c.id),
            "now",
        )

    def begin(self, account: Account, created: datetime, expires: datetime) -> Session | None:
        now, end = self._database.store_time(created), self._database.store_time(expires)
        with self._database.all_or_nothing():
            rows = self._database.write(
                self._begin, now, now, end, account.user.id, account.password_hash
            )
            # Afterwards: who holds locks of expired sessions must wait for nobody.
            for (id,) in rows:
                self._forget(id, created)
        for (id,) in rows:
            return Session(id, created, created, expires)
        return None

    def _forget(self, newest: int, now: datetime) -> None:
        def began(id: int, created: object) -> datetime:
            return self._database.load_time(created)

        for known in read_all("sessions", began, self._database.read(self._witness, newest)):
            moment = self._database.store_time(min(now, known))
            self._database.write(self._forget_expired, moment)

    def find(self, credentials: Credentials, now: datetime) -> Visitor | None:
        moment = self._database.store_time(now)
        rows = self._database.read(self._find, credentials.session_id, credentials.user_id, moment)
        session = read_one("sessions", self._values.session, [row[:4] for row in rows])
        user = read_one("users", self._values.user, [row[4:] for row in rows])
        return Visitor(user, session) if user and session else None

    def find_all(self, user_id: int, now: datetime) -> list[Session]:
        rows = self._database.read(self._find_all, user_id, self._database.store_time(now))
        return read_all("sessions", self._values.session, rows)

    def touch(self, session_id: int, moment: datetime) -> None:
        self._database.write(self._touch, self._database.store_time(moment), session_id)

    def end(self, session_id: int, user_id: int) -> Session | None:
        with self._database.all_or_nothing():  # What cannot be answered is not ended either.
            rows = self._database.write(self._end, session_id, user_id)
            return read_one("sessions", self._values.session, rows)

    def end_all(self, user_id: int, but: int | None = None) -> list[Session]:
        rows = self._database.write(self._end_all, user_id, but or 0)
        return read_all("sessions", self._values.session, rows)


def _expired(database: Database, session: Table) -> Select:
    """Some expired sessions; where rows can be locked, only those that nobody else clears away."""
    old = session.alias("old")
    query = old.select(old.c.id).where(old.c.expires <= slot("now")).order_by(old.c.expires)
    return lock(database, query.limit(SQL(str(FORGOTTEN))), "FOR UPDATE SKIP LOCKED")
