"""How long work goes on."""

import sys
from collections.abc import Iterable
from typing import TypeVar

import click

T = TypeVar("T")


def show_progress(label: str, items: Iterable[T], length: int | None = None) -> Iterable[T]:
    """The same items, shown on the standard error as they pass."""
    with click.progressbar(items, length, f"{label:10}", show_pos=True, file=sys.stderr) as bar:
        yield from bar
