"""Registration and profiles."""

from forum.domain.credentials import demand_both, is_password, is_username
from forum.domain.errors import (
    BadPassword,
    BadUsername,
    UserNotFound,
)
from forum.domain.ids import parse_id
from forum.domain.model import User
from forum.domain.ports import Clock, Events, PasswordHasher, UserRepository
from forum.domain.throttle import Throttle


class UserService:
    """Making an account, and looking at one."""

    def __init__(
        self,
        users: UserRepository,
        hasher: PasswordHasher,
        clock: Clock,
        throttle: Throttle,
        events: Events,
    ) -> None:
        self._users = users
        self._hasher = hasher
        self._clock = clock
        self._throttle = throttle
        self._events = events

    def register(self, username: object, password: object, address: str) -> User:
        """A new user. Raises `UsernameMissing`, `PasswordMissing`, `BadUsername`, `BadPassword`, `TooManyRequests`, `UsernameTaken`.

        `address` is whence the client calls.
        """
        demand_both(username, password)
        if not is_username(username):
            raise BadUsername
        if not is_password(password):
            raise BadPassword
        self._throttle.admit_registration(address)
        user = self._users.add(username, self._hasher.hash(password), self._clock.now())
        self._events.record("registered", user=user.id, address=address)
        return user

    def profile(self, user_id: str) -> User:
        """The user with this id. Raises `UserNotFound`."""
        number = parse_id(user_id)
        user = self._users.find(number) if number else None
        if user is None:
            raise UserNotFound(user_id)
        return user
