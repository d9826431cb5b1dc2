"""The servers of a run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.data import Size, SqliteForum
from benchmarks.forum import forum
from benchmarks.pocketbase import pocketbase, require_pocketbase
from benchmarks.postgres import postgres, postgres_forum, require_postgres
from benchmarks.servers import ROOT, Target
from tests.support.clusters import Cluster


@dataclass(frozen=True)
class Lineup:
    """What is measured beside the no-op."""

    settings: Mapping[str, str]
    """Of this checkout, not of the other."""
    against: Path | None
    has_postgres: bool
    """Whether this checkout is measured on PostgreSQL, too."""
    has_pocketbase: bool

    @contextmanager
    def started(self, folder: Path, sizes: Sequence[Size]) -> Iterator[list[Target]]:
        """All servers, with data of each size, until the end of the block.

        Raises ClickException.
        """
        self._require_installed()
        with ExitStack() as stack:
            cluster = stack.enter_context(postgres()) if self.has_postgres else None
            targets: list[Target] = []
            for size in sizes:
                click.echo(f"Starting servers with {size.articles:,} articles ...", err=True)
                home = folder / str(size.articles)
                home.mkdir()
                servers = self._servers(home, size, cluster)
                targets += [stack.enter_context(each) for each in servers]
            yield targets

    def _require_installed(self) -> None:
        if self.has_postgres:
            require_postgres()
        if self.has_pocketbase:
            require_pocketbase()

    def _servers(
        self, home: Path, size: Size, cluster: Cluster | None
    ) -> Iterator[AbstractContextManager[Target]]:
        this = SqliteForum(size, home / "this.db")
        yield forum("this", ROOT, home / "this", this, self.settings)
        if self.against:
            other = SqliteForum(size, home / "other.db")
            yield forum("other", self.against, home / "other", other, {})
        if cluster:
            yield postgres_forum(cluster, home / "postgres", size, self.settings)
        if self.has_pocketbase:
            yield pocketbase(home / "PocketBase", size)
