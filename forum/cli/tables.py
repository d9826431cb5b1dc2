"""Tables for people, and what programs get instead."""

from collections.abc import Iterable, Iterator
from datetime import datetime


def aligned(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table, the head first, with columns as wide as what is in them."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(map(str.ljust, line, widths)).rstrip()


def timestamp(moment: datetime) -> str:
    """The moment in UTC as programs know it from the API."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"
