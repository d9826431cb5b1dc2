"""Registration, profiles, and the rules of names and passwords."""

import re
import secrets
from typing import TypeGuard

from forum.domain.errors import (
    BadPassword,
    BadUsername,
    PasswordMissing,
    UsernameMissing,
    UserNotFound,
)
from forum.domain.ids import parse_id
from forum.domain.model import User
from forum.domain.ports import Clock, Events, PasswordHasher, UserRepository
from forum.domain.throttle import Throttle

_ALLOWED = r"[A-Za-z0-9!@#$%^&*\-_]"
_USERNAME = re.compile(_ALLOWED + r"{5,20}")
_PASSWORD = re.compile(
    r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])(?=.*[!@#$%^&*\-_])" + _ALLOWED + r"{8,40}"
)


def is_username(value: object) -> TypeGuard[str]:
    """Whether the value is a string of 5 to 20 characters, all of them allowed."""
    return isinstance(value, str) and _USERNAME.fullmatch(value) is not None


def is_password(value: object) -> TypeGuard[str]:
    """Whether the value is a string of 8 to 40 allowed characters with a lower-case and an upper-case letter, a digit and a symbol."""
    return isinstance(value, str) and _PASSWORD.fullmatch(value) is not None


def random_password() -> str:
    """A new password that satisfies `is_password`, of more than 128 random bits."""
    while not is_password(password := secrets.token_urlsafe(18)):
        pass
    return password


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


def demand_both(username: object, password: object) -> None:
    """Raise `UsernameMissing` or `PasswordMissing`."""
    if not username:
        raise UsernameMissing
    if not password:
        raise PasswordMissing
