"""Registration and profiles."""

from forum.domain.credentials import is_password, is_username, require_both
from forum.domain.errors import (
    BadPassword,
    BadUsername,
    UserNotFound,
)
from forum.domain.ids import parse_id
from forum.domain.model import User
from forum.domain.ports import AuditLog, Clock, PasswordHasher, UserRepository
from forum.domain.rate_limits import RateLimiter


class UserService:
    """Making an account, and looking at one."""

    def __init__(
        self,
        users: UserRepository,
        hasher: PasswordHasher,
        clock: Clock,
        rate_limiter: RateLimiter,
        audit_log: AuditLog,
    ) -> None:
        self._users = users
        self._hasher = hasher
        self._clock = clock
        self._rate_limiter = rate_limiter
        self._audit_log = audit_log

    def register(self, *, username: object, password: object, address: str) -> User:
        """A new user.

        Raises `UsernameMissing`, `PasswordMissing`, `BadUsername`, `BadPassword`,
        `TooManyRequests`, `UsernameTaken`.
        `address` is where the client calls from.
        """
        require_both(username, password)
        if not is_username(username):
            raise BadUsername
        if not is_password(password):
            raise BadPassword
        now = self._clock.now()
        self._rate_limiter.admit_registration(address, now)
        user = self._users.add(username, self._hasher.hash(password), now)
        self._audit_log.record("registered", user=user.id, address=address)
        return user

    def profile(self, user_id: str) -> User:
        """The user with this id. Raises `UserNotFound`."""
        number = parse_id(user_id)
        user = self._users.find(number) if number else None
        if user is None:
            raise UserNotFound(user_id)
        return user
