"""Registration and profiles."""

from forum.domain.audit import Auditor
from forum.domain.credentials import is_password, is_username, require_both
from forum.domain.errors import (
    BadPassword,
    BadUsername,
    UserNotFound,
)
from forum.domain.ids import parse_id
from forum.domain.model import User
from forum.domain.ports import Clock, PasswordHasher, UserRepository
from forum.domain.rate_limits import RateLimiter


class UserService:
    """Making an account, and looking at one."""

    def __init__(
        self,
        users: UserRepository,
        hasher: PasswordHasher,
        clock: Clock,
        rate_limiter: RateLimiter,
        auditor: Auditor,
    ) -> None:
        self._users = users
        self._hasher = hasher
        self._clock = clock
        self._rate_limiter = rate_limiter
        self._auditor = auditor

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
        password_hash = self._hasher.hash(password)
        with self._auditor.act("registered", now, address=address) as act:
            user = act.user = self._users.add(username, password_hash, now)
        return user

    def profile(self, user_id: str) -> User:
        """The user with this id. Raises `UserNotFound`."""
        number = parse_id(user_id)
        user = self._users.find(number) if number else None
        if user is None:
            raise UserNotFound(user_id)
        return user
