"""The rules of names and passwords."""

import re
import secrets
from typing import TypeGuard

from forum.domain.errors import (
    PasswordMissing,
    UsernameMissing,
)

_ALLOWED = r"[A-Za-z0-9!@#$%^&*\-_]"

USERNAME = _ALLOWED + "{5,20}"
"""A regular expression, in the words that Python and JavaScript share."""

PASSWORD = rf"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])(?=.*[!@#$%^&*\-_]){_ALLOWED}{{8,40}}"
"""Likewise."""

_USERNAME, _PASSWORD = re.compile(USERNAME), re.compile(PASSWORD)


def is_username(value: object) -> TypeGuard[str]:
    """Whether the value is a string of 5 to 20 characters, all of them allowed."""
    return isinstance(value, str) and _USERNAME.fullmatch(value) is not None


def is_password(value: object) -> TypeGuard[str]:
    """Whether the value is a string of 8 to 40 allowed characters, of all four kinds.

    These are lower-case letters, upper-case letters, digits and symbols.
    """
    return isinstance(value, str) and _PASSWORD.fullmatch(value) is not None


def random_password() -> str:
    """A new password that satisfies `is_password`, of more than 128 random bits."""
    while not is_password(password := secrets.token_urlsafe(18)):
        pass
    return password


def require_both(username: object, password: object) -> None:
    """Raise `UsernameMissing` or `PasswordMissing`."""
    if not username:
        raise UsernameMissing
    if not password:
        raise PasswordMissing
