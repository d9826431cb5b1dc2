"""Passwords hashed with Argon2id."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError, VerifyMismatchError


class Argon2Passwords:
    """A `PasswordHasher` that computes at most `permits` hashes at the same moment.

    The defaults are the floor of the OWASP Password Storage Cheat Sheet: 19 MiB (`memory_cost` is
    in KiB), two passes, one lane. Memory is at most `permits` times `memory_cost`; the permits also
    leave processor time to those who only read.
    """

    def __init__(
        self,
        memory_cost: int = 19 * 1024,
        time_cost: int = 2,
        parallelism: int = 1,
        permits: int = 1,
    ) -> None:
        self._argon2 = PasswordHasher(time_cost, memory_cost, parallelism)
        self._permits = threading.BoundedSemaphore(permits)

    def hash(self, password: str) -> str:
        with self._permits:
            return self._argon2.hash(password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        with self._permits:
            try:
                return self._argon2.verify(password_hash or "", password)
            except VerifyMismatchError:
                return False
            except (ValueError, VerificationError):  # InvalidHashError is a ValueError
                self._hash_in_vain(password)
                return False

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    def _hash_in_vain(self, password: str) -> None:
        # What cannot be compared costs one hash too, or its quick answer would tell it apart.
        self._argon2.hash(password)
