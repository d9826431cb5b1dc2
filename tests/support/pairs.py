"""Pairs instead of products, for what is judged by the same code in every combination."""

from collections.abc import Sequence
from itertools import cycle, islice
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def pairs(some: Sequence[S], others: Sequence[T]) -> list[tuple[S, T]]:
    """As few pairs as have each of both at least once."""
    number = max(len(some), len(others))
    return list(islice(zip(cycle(some), cycle(others), strict=False), number))
