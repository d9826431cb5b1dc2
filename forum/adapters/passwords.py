"""Passwords hashed with Argon2id."""

import re

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError, VerifyMismatchError

_ENCODED = re.compile(
    r"\$argon2(id|i|d)(\$v=\d{1,2})?\$m=\d{1,10},t=\d{1,10},p=\d{1,8}"
    r"\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{6,}",
    re.ASCII,
)


def is_password_hash(text: str) -> bool:
    """Whether this has the form of a hash that `Argon2Passwords` can compare a password with."""
    return _ENCODED.fullmatch(text) is not None


class Argon2Passwords:
    """A `PasswordHasher` whose defaults are the floor of the OWASP Password Storage Cheat Sheet.

    `memory_cost` is in KiB for each hash that is computed at the moment, `time_cost` in passes.
    """

    def __init__(self, memory_cost: int = 19 * 1024, time_cost: int = 2) -> None:
        self._argon2 = PasswordHasher(time_cost, memory_cost, parallelism=1)

    def hash(self, password: str) -> str:
        return self._argon2.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash or "", password)
        except VerifyMismatchError:
            return False
        except (ValueError, VerificationError):  # InvalidHashError is a ValueError
            self._dummy_hash(password)
            return False

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    def _dummy_hash(self, password: str) -> None:
        # What cannot be compared costs one hash too, or its quick answer would give it away.
        self._argon2.hash(password)
