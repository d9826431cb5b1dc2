"""Logging in and out, and authentication."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta

from forum.domain.audit import Act, Auditor
from forum.domain.credentials import is_password, is_username, require_both
from forum.domain.errors import (
    BadNewPassword,
    InvalidToken,
    NewPasswordMissing,
    PasswordMissing,
    Refusal,
    SessionNotFound,
    TokenMissing,
    WrongCredentials,
    WrongPassword,
)
from forum.domain.ids import parse_id
from forum.domain.model import Account, Login, Principal, Session, TokenClaims, User
from forum.domain.ports import (
    AuditLog,
    Clock,
    PasswordHasher,
    SessionRepository,
    Tokens,
    UserRepository,
)
from forum.domain.rate_limits import RateLimiter

STEP = timedelta(hours=1)
"""How exactly it is known when a session was last used: each step costs a write."""


class SessionService:
    """What one can do with sessions and the password that begins them."""

    def __init__(
        self,
        users: UserRepository,
        sessions: SessionRepository,
        hasher: PasswordHasher,
        tokens: Tokens,
        clock: Clock,
        rate_limiter: RateLimiter,
        auditor: Auditor,
        audit_log: AuditLog,
        lifetime: timedelta,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._tokens = tokens
        self._clock = clock
        self._rate_limiter = rate_limiter
        self._auditor = auditor
        self._audit_log = audit_log
        self._lifetime = lifetime

    def log_in(self, *, username: object, password: object, address: str) -> Login:
        """A new session.

        Raises `UsernameMissing`, `PasswordMissing`, `TooManyRequests`, `WrongCredentials`. The last
        always costs one hash, and the one before it none. `address` is where the client calls from.
        """
        require_both(username, password)
        name = username if is_username(username) else ""
        self._tokens.require_secret()  # Before a session begins that no token could name.
        now = self._clock.now()
        account = self._prove(name, password, address, now, WrongCredentials, "login failed")
        current = self._with_current_hash(account, password)
        with self._auditor.act("login", now, account.user, address):
            return self._begin(current, now)

    def authenticate(self, token: object) -> Principal:
        """Whom the token names. Raises `TokenMissing`, `InvalidToken`."""
        if not token:
            raise TokenMissing
        now = self._clock.now()
        claims = self._tokens.read(token) if isinstance(token, str) else None
        if claims is None:
            raise self._refusal_of_token("forged or malformed")
        if claims.expires <= now:
            raise self._refusal_of_token("expired", user=claims.user_id)
        principal = self._sessions.find(claims, now)
        if principal is None:
            raise self._refusal_of_token("session ended", user=claims.user_id)
        # Either way: a clock that was ahead has left a use that is yet to come.
        if abs(now - principal.session.last_used) >= STEP:
            return replace(principal, is_touch_due=True)
        return principal

    def touch(self, principal: Principal) -> None:
        """Note that the session is in use."""
        self._sessions.touch(principal.session.id, self._clock.now())

    def log_out(self, principal: Principal, *, address: str) -> User:
        """End the session that asks. Raises `InvalidToken` if it has just been ended."""
        with self._ending(principal, address) as act:
            if not self._sessions.end(principal.session.id, principal.user.id):
                raise InvalidToken
            act.add(session=principal.session.id)
        return principal.user

    def change_password(
        self, principal: Principal, *, password: object, new_password: object, address: str
    ) -> Login:
        """End every session and begin a new one under the new password.

        Raises `PasswordMissing`, `NewPasswordMissing`, `BadNewPassword`, `TooManyRequests`,
        `WrongPassword`.
        """
        if not password:
            raise PasswordMissing
        if not new_password:
            raise NewPasswordMissing
        if not is_password(new_password):
            raise BadNewPassword
        self._tokens.require_secret()
        now, user = self._clock.now(), principal.user
        account = self._prove(
            user.username, password, address, now, WrongPassword, "password not changed"
        )
        changed = replace(account, password_hash=self._hasher.hash(new_password))
        with self._auditor.act("password changed", now, user, address):
            if not self._users.change_password_hash(
                user.id, changed.password_hash, account.password_hash
            ):
                raise WrongPassword
            return self._begin(changed, now)

    def list_all(self, principal: Principal) -> list[Session]:
        """The principal's sessions, the newest first."""
        return self._sessions.find_all(principal.user.id, self._clock.now())

    def end(self, principal: Principal, session_id: str, *, address: str) -> Session:
        """End one of the principal's sessions. Raises `SessionNotFound`."""
        number = parse_id(session_id)
        if number is None:
            raise SessionNotFound(session_id)
        with self._ending(principal, address) as act:
            session = self._sessions.end(number, principal.user.id)
            if session is None:
                raise SessionNotFound(session_id)
            act.add(session=session.id)
        return session

    def end_others(self, principal: Principal, *, address: str) -> list[Session]:
        """End all of the principal's sessions but the one that asks."""
        with self._ending(principal, address) as act:
            ended = self._sessions.end_all(principal.user.id, but=principal.session.id)
            act.add_each("session", (each.id for each in ended))
        return ended

    def _ending(self, principal: Principal, address: str) -> AbstractContextManager[Act]:
        return self._auditor.act("session ended", self._clock.now(), principal.user, address)

    def _refusal_of_token(self, reason: str, **details: object) -> InvalidToken:
        self._audit_log.record("token refused", reason=reason, **details)
        return InvalidToken()

    def _prove(
        self,
        username: str,
        password: object,
        address: str,
        now: datetime,
        refusal: type[Refusal],
        event: str,
    ) -> Account:
        with self._rate_limiter.attempt(username, address, now):
            account = self._users.find_account(username) if username else None
            is_proved = self._proves(password, account)
            if account is None or account.is_disabled or not is_proved:
                # Not the name: people type their passwords there too.
                self._auditor.note(event, now, account.user if account else None, address)
                raise refusal
        return account

    def _proves(self, password: object, account: Account | None) -> bool:
        # Exactly one hash, whatever was sent and whoever is there.
        if account is None or not is_password(password):
            return self._hasher.verify(None, "")
        return self._hasher.verify(account.password_hash, password)

    def _begin(self, account: Account, now: datetime) -> Login:
        session = self._sessions.begin(account, now, now + self._lifetime)
        if session is None:  # Changed, disabled or deleted since the password was compared.
            raise WrongCredentials
        claims = TokenClaims(session.id, account.user.id, session.expires)
        return Login(account.user, self._tokens.issue(claims))

    def _with_current_hash(self, account: Account, password: object) -> Account:
        if not self._hasher.is_outdated(account.password_hash):
            return account
        renewed = self._hasher.hash(str(password))
        self._users.replace_password_hash(account.user.id, account.password_hash, renewed)
        return replace(account, password_hash=renewed)
