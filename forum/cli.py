"""The console script `forum`."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from forum import __version__
from forum.adapters import sqlite_backup
from forum.adapters.flaskapi import FlaskApiDatabase, NotTheOldDatabase
from forum.adapters.migrations import UnknownVersion, migrate, status
from forum.adapters.sql import Database
from forum.adapters.sqlite import SqliteDatabase
from forum.config import BadSetting, Settings
from forum.domain.importing import import_forum
from forum.domain.moving import CopyDiffers, StoreNotEmpty, copy
from forum.main import hash_all, opened_archive, opened_database, prepare
from forum.server import Server

T = TypeVar("T")


class OneLineErrors(click.Group):
    """Ends with status 1 and one line where the surroundings are at fault."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except BadSetting as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=OneLineErrors)
@click.version_option(__version__)
def main() -> None:
    """The backend of a simple forum.

    Settings are FORUM_* environment variables; `forum config` prints the effective ones.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


@main.command()
def serve() -> None:
    """Serve the API; make and migrate the database first.

    SIGTERM ends it gracefully, SIGHUP renews the workers without losing a request.
    """
    settings = Settings.from_environment()
    prepare(settings)
    Server(settings).run()


@main.command()
def config() -> None:
    """Print the effective settings, secrets masked."""
    for name, value in Settings.from_environment().shown().items():
        click.echo(f"{name}={value}")


@main.command("migrate")
@click.argument("version", type=int, required=False)
@click.option("--status", "only_status", is_flag=True, help="Print the versions; change nothing.")
def migrate_command(version: int | None, only_status: bool) -> None:
    """Bring the schema of the database up to date, or up to VERSION.

    All or nothing. There is no way back but a backup.
    """
    with opened_database(Settings.from_environment()) as database:
        if only_status:
            database.demand()
        else:
            database.create()
            for name in _migrate(database, version):
                click.echo(f"applied {name}")
        for each in status(database):
            click.echo(f"{each.name}  {each.applied or 'not applied'}")


def _migrate(database: Database, version: int | None) -> list[str]:
    try:
        return migrate(database, version)
    except UnknownVersion:
        raise click.ClickException(
            f"the schema cannot go up to version {version}: see forum migrate --status"
        ) from None


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Save the SQLite database to a new FILE while the service writes on.

    Every write that was answered before is in it. For PostgreSQL there is pg_dump.
    """
    with opened_database(Settings.from_environment()) as database:
        database.demand()
        sqlite_backup.backup(_sqlite(database, "pg_dump --format=custom"), file)
    click.echo(f"saved to {file}")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Make the SQLite database of the backup in FILE, after checking it.

    A database that is there already is not overwritten.
    """
    with opened_database(Settings.from_environment()) as database:
        path = Path(_sqlite(database, "pg_restore").database)
        sqlite_backup.restore(file, path)
        migrate(database)
    click.echo(f"restored {path}")


def _sqlite(database: Database, other: str) -> SqliteDatabase:
    if not isinstance(database, SqliteDatabase):
        raise click.ClickException(f"this is for SQLite; PostgreSQL has {other}")
    return database


@main.command("copy")
@click.argument("source")
@click.argument("target")
def copy_command(source: str, target: str) -> None:
    """Copy everything from the database at the URL SOURCE to the empty one at TARGET.

    Ids stay, also of what was deleted: none is given again. Counts and a checksum are compared.
    All or nothing.
    """
    settings = Settings.from_environment()
    with (
        opened_archive(replace(settings, database_url=source)) as old,
        opened_archive(replace(settings, database_url=target), create=True) as new,
        _explained(),
    ):
        total = copy(old, new, _show_progress)
    click.echo(
        f"copied {total.accounts} users and {total.articles} articles; SHA-256 {total.checksum}"
    )


@main.command("import-flaskapi")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_flaskapi(file: Path) -> None:
    """Import users and articles from FILE, the SQLite database of the older Flask program.

    Ids, dates, authors and passwords stay; the passwords are hashed, on all processors. All or
    nothing, into an empty database; a second time changes nothing. Whatever cannot be imported, or
    will not work as before, is told.
    """
    settings = Settings.from_environment()
    with opened_archive(settings, create=True) as archive, _explained():
        hash_passwords = partial(hash_all, settings)
        done = import_forum(FlaskApiDatabase(file), archive, hash_passwords, _show_progress)
    for remark in done.remarks:
        click.echo(remark)
    verb = "were imported before" if done.was_done_before else "imported"
    click.echo(
        f"{done.users} users and {done.articles} articles {verb}; {len(done.remarks)} remarks"
    )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StoreNotEmpty:
        raise click.ClickException("the target has users or articles: it must be empty") from None
    except CopyDiffers:
        raise click.ClickException("the copy differs from its source: nothing was kept") from None
    except NotTheOldDatabase as error:
        raise click.ClickException(
            f"this is not the database of the Flask program: {error}"
        ) from None


def _show_progress(label: str, items: Iterable[T], length: int | None = None) -> Iterable[T]:
    with click.progressbar(items, length, f"{label:10}", show_pos=True, file=sys.stderr) as bar:
        yield from bar
