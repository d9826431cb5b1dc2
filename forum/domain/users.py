"""Registration, login and who somebody is."""

import re
from datetime import timedelta
from typing import TypeGuard

from forum.domain.errors import (
    BadPassword,
    BadUsername,
    InvalidToken,
    PasswordMissing,
    TokenMissing,
    UsernameMissing,
    UserNotFound,
    WrongCredentials,
)
from forum.domain.ids import parse_id
from forum.domain.model import Account, Session, User
from forum.domain.ports import Clock, PasswordHasher, Tokens, UserRepository

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


class UserService:
    """What one can do with an account."""

    def __init__(
        self,
        users: UserRepository,
        hasher: PasswordHasher,
        tokens: Tokens,
        clock: Clock,
        token_lifetime: timedelta,
    ) -> None:
        self._users = users
        self._hasher = hasher
        self._tokens = tokens
        self._clock = clock
        self._token_lifetime = token_lifetime

    def register(self, username: object, password: object) -> User:
        """A new user. Raises `UsernameMissing`, `PasswordMissing`, `BadUsername`, `BadPassword`, `UsernameTaken`."""
        _demand_both(username, password)
        if not is_username(username):
            raise BadUsername
        if not is_password(password):
            raise BadPassword
        return self._users.add(username, self._hasher.hash(password), self._clock.now())

    def log_in(self, username: object, password: object) -> Session:
        """A fresh token. Raises `UsernameMissing`, `PasswordMissing`, `WrongCredentials`, the last always at the cost of one hash."""
        _demand_both(username, password)
        account = self._users.find_account(username) if is_username(username) else None
        if account is None or not is_password(password):
            self._hasher.verify(None, "")  # Costs what a real comparison costs.
            raise WrongCredentials
        if not self._hasher.verify(account.password_hash, password):
            raise WrongCredentials
        self._renew_outdated_hash(account, password)
        expires = self._clock.now() + self._token_lifetime
        return Session(account.user, self._tokens.issue(account.user.id, expires))

    def authenticate(self, token: object) -> User:
        """Whom the token names. Raises `TokenMissing`, `InvalidToken`."""
        if not token:
            raise TokenMissing
        user_id = self._tokens.read(token, self._clock.now()) if isinstance(token, str) else None
        user = self._users.find(user_id) if user_id else None
        if user is None:
            raise InvalidToken
        return user

    def profile(self, user_id: str) -> User:
        """The user with this id. Raises `UserNotFound`."""
        number = parse_id(user_id)
        user = self._users.find(number) if number else None
        if user is None:
            raise UserNotFound(user_id)
        return user

    def _renew_outdated_hash(self, account: Account, password: str) -> None:
        if self._hasher.is_outdated(account.password_hash):
            self._users.replace_password_hash(
                account.user.id, account.password_hash, self._hasher.hash(password)
            )


def _demand_both(username: object, password: object) -> None:
    if not username:
        raise UsernameMissing
    if not password:
        raise PasswordMissing
