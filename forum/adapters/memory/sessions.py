"""Sessions in memory."""

from dataclasses import replace
from datetime import datetime

from forum.adapters.memory.tables import MemoryTables
from forum.domain.model import (
    FORGOTTEN,
    WITNESSES,
    Account,
    Principal,
    Session,
    TokenClaims,
)


class MemorySessions:
    """A `SessionRepository` in memory."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def begin(self, account: Account, created: datetime, expires: datetime) -> Session | None:
        with self._tables.change():
            now = self._tables.accounts.get(account.user.id)
            if now is None or now.is_disabled or now.password_hash != account.password_hash:
                return None
            self._tables.last = replace(self._tables.last, session=self._tables.last.session + 1)
            session = Session(self._tables.last.session, created, created, expires)
            self._tables.sessions[session.id] = (account.user.id, session)
            self._forget_expired(created)
            return session

    def find(self, claims: TokenClaims, now: datetime) -> Principal | None:
        with self._tables.lock:
            owner, session = self._tables.sessions.get(claims.session_id, (0, None))
            account = self._tables.accounts.get(claims.user_id)
        if session is None or account is None or owner != claims.user_id:
            return None
        return Principal(account.user, session) if session.expires > now else None

    def find_all(self, user_id: int, now: datetime) -> list[Session]:
        with self._tables.lock:
            own = [each for owner, each in self._tables.sessions.values() if owner == user_id]
        return sorted((s for s in own if s.expires > now), key=lambda each: each.id, reverse=True)

    def touch(self, session_id: int, now: datetime) -> None:
        with self._tables.change():
            if session_id in self._tables.sessions:
                owner, session = self._tables.sessions[session_id]
                self._tables.sessions[session_id] = owner, replace(session, last_used=now)

    def end(self, session_id: int, user_id: int) -> Session | None:
        with self._tables.change():
            owner, session = self._tables.sessions.get(session_id, (0, None))
            if owner != user_id:
                return None
            del self._tables.sessions[session_id]
            return session

    def end_all(self, user_id: int, but: int | None = None) -> list[Session]:
        with self._tables.change():
            ids = [id for id, (owner, _) in self._tables.sessions.items() if owner == user_id]
            return [self._tables.sessions.pop(id)[1] for id in ids if id != but]

    def _forget_expired(self, now: datetime) -> None:
        sessions = [self._tables.sessions[id][1] for id in sorted(self._tables.sessions)]
        if len(sessions) >= WITNESSES:
            known = min(now, sessions[-WITNESSES].created)
            expired = [each for each in sessions if each.expires <= known]
            for session in sorted(expired, key=lambda each: each.expires)[:FORGOTTEN]:
                del self._tables.sessions[session.id]
