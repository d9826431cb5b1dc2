"""The servers of a run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.data import Size, SqliteForum
from benchmarks.forum import forum
from benchmarks.pocketbase import pocketbase
from benchmarks.servers import ROOT, Target


@dataclass(frozen=True)
class Lineup:
    """What is measured beside the no-op."""

    settings: Mapping[str, str]
    """Of this checkout, not of the other."""
    against: Path | None
    peer: str | None
    """Another program."""

    @contextmanager
    def started(self, folder: Path, sizes: Sequence[Size]) -> Iterator[list[Target]]:
        """All servers, with data of each size, until the end of the block.

        Raises ClickException.
        """
        with ExitStack() as stack:
            targets = []
            for size in sizes:
                click.echo(f"Starting servers with {size.articles:,} articles ...", err=True)
                home = folder / str(size.articles)
                home.mkdir()
                targets += [stack.enter_context(each) for each in self._servers(home, size)]
            yield targets

    def _servers(self, home: Path, size: Size) -> Iterator[AbstractContextManager[Target]]:
        this = SqliteForum(size, home / "this.db")
        yield forum("this", ROOT, home / "this", this, self.settings)
        if self.against:
            other = SqliteForum(size, home / "other.db")
            yield forum("other", self.against, home / "other", other, {})
        if self.peer:
            yield pocketbase(home / "PocketBase", size)
