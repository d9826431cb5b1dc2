"""Sessions in memory."""

from dataclasses import replace
from datetime import datetime

from forum.adapters.memory.tables import MemoryStore
from forum.domain.model import (
    Account,
    Credentials,
    Session,
    Visitor,
)
from forum.domain.ports import FORGOTTEN, WITNESSES


class MemorySessions:
    """A `SessionRepository` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def begin(self, account: Account, created: datetime, expires: datetime) -> Session | None:
        with self._store.lock:
            now = self._store.accounts.get(account.user.id)
            if now is None or now.is_disabled or now.password_hash != account.password_hash:
                return None
            self._store.last = replace(self._store.last, session=self._store.last.session + 1)
            session = Session(self._store.last.session, created, created, expires)
            self._store.sessions[session.id] = (account.user.id, session)
            self._forget_expired(created)
            return session

    def find(self, credentials: Credentials, now: datetime) -> Visitor | None:
        with self._store.lock:
            owner, session = self._store.sessions.get(credentials.session_id, (0, None))
            account = self._store.accounts.get(credentials.user_id)
        if session is None or account is None or owner != credentials.user_id:
            return None
        return Visitor(account.user, session) if session.expires > now else None

    def find_all(self, user_id: int, now: datetime) -> list[Session]:
        with self._store.lock:
            own = [each for owner, each in self._store.sessions.values() if owner == user_id]
        return sorted((s for s in own if s.expires > now), key=lambda each: each.id, reverse=True)

    def touch(self, session_id: int, now: datetime) -> None:
        with self._store.lock:
            if session_id in self._store.sessions:
                owner, session = self._store.sessions[session_id]
                self._store.sessions[session_id] = owner, replace(session, last_used=now)

    def end(self, session_id: int, user_id: int) -> Session | None:
        with self._store.lock:
            owner, session = self._store.sessions.get(session_id, (0, None))
            if owner != user_id:
                return None
            del self._store.sessions[session_id]
            return session

    def end_all(self, user_id: int, but: int | None = None) -> list[Session]:
        with self._store.lock:
            ids = [id for id, (owner, _) in self._store.sessions.items() if owner == user_id]
            return [self._store.sessions.pop(id)[1] for id in ids if id != but]

    def _forget_expired(self, now: datetime) -> None:
        sessions = [self._store.sessions[id][1] for id in sorted(self._store.sessions)]
        if len(sessions) >= WITNESSES:
            known = min(now, sessions[-WITNESSES].created)
            expired = [each for each in sessions if each.expires <= known]
            for session in sorted(expired, key=lambda each: each.expires)[:FORGOTTEN]:
                del self._store.sessions[session.id]
