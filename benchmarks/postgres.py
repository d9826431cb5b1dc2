"""The forum on a PostgreSQL server that is made for it and gone in the end."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import click
import psycopg

from benchmarks.data import ForumDatabase, Size, Sql
from benchmarks.forum import forum
from benchmarks.servers import ROOT, Target
from tests.support.clusters import (
    Cluster,
    empty_cluster,
    empty_database,
    find_binaries,
    server_folder,
)


class PostgresForum(ForumDatabase):
    """The tables of the forum in a database of a server."""

    date = "timestamp '2020-01-01' + n * interval '1 second'"

    def __init__(self, size: Size, url: str) -> None:
        super().__init__(size)
        self.url = url

    def fill(self) -> None:
        super().fill()
        self._vacuum()

    def restore(self) -> None:
        super().restore()
        self._vacuum()

    def opened(self) -> AbstractContextManager[Sql]:
        return psycopg.connect(self.url)

    def _vacuum(self) -> None:
        # The server does it by itself, but in the midst of what is measured next.
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def require_postgres() -> None:
    """Raise ClickException where PostgreSQL is missing."""
    if not find_binaries():
        raise click.ClickException("PostgreSQL is not installed: apt-get install postgresql")


@contextmanager
def postgres() -> Iterator[Cluster]:
    """A server that is as careful as by its defaults; the one for tests is not."""
    with server_folder() as folder, empty_cluster(folder / "server") as cluster:
        # Each thread of each worker has a connection.
        cluster.configure(fsync="on", max_connections="400")
        cluster.stop()
        cluster.start()
        yield cluster


@contextmanager
def postgres_forum(
    cluster: Cluster, folder: Path, size: Size, settings: Mapping[str, str]
) -> Iterator[Target]:
    """The forum of this checkout, on a database of its own. Raises ClickException."""
    with empty_database(cluster) as url:
        with psycopg.connect(url) as connection:
            version = connection.info.parameter_status("server_version") or ""
        database = PostgresForum(size, url)
        with forum("PostgreSQL", ROOT, folder, database, settings) as target:
            yield replace(target, version=version)
