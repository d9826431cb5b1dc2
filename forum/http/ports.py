"""What the edge alone needs from outside."""

from typing import Protocol


class Readiness(Protocol):
    """Whether the store can serve this version."""

    def __call__(self) -> None:
        """Raise `Unavailable` where it does not answer, or a migration is missing."""
