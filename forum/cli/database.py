"""Commands that make, save and bring back a database."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from forum.adapters.secret_file import load_secrets
from forum.adapters.sql import sqlite_backup
from forum.adapters.sql.migrations import UnknownVersion, Version, first_break, migrate, status
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.cli.errors import printable
from forum.cli.parameters import File
from forum.cli.secrets import opened_secret_file
from forum.config import Settings
from forum.secret_keys import refuse_orphaned_secret, secret_file
from forum.storage import opened_database, opened_sqlite


@click.command("migrate")
@click.argument("version", type=int, required=False)
@click.option("--status", "only_status", is_flag=True, help="Print the versions; change nothing.")
def migrate_command(version: int | None, only_status: bool) -> None:
    """Bring the schema up to date, or up to VERSION.

    All or nothing. There is no way back but a backup. The status ends with 1 while a version is
    missing.
    """
    settings = Settings.from_environment()
    refuse_orphaned_secret(settings)
    with opened_database(settings) as database:
        before, applied = status(database), []
        breaking = _breaking(before)
        if only_status:
            database.require()
        else:
            applied = _migrate(database, version)
        versions = status(database)
    for name in applied:
        click.echo(f"applied {name}")
    for each in versions:
        by = " by a later version of the forum" if each.is_later else ""
        click.echo(f"{each.name}  {each.applied or 'not applied'}{by}")
    if breaking and (only_status or breaking in applied):
        click.echo(f"Stop the service, if it runs: it cannot go on with {breaking}", err=True)
    if only_status and not all(each.applied for each in versions):
        sys.exit(1)


def _breaking(versions: Sequence[Version]) -> str | None:
    """The first version that is missing, and that a program of the last one cannot go on with."""
    numbers = [each.number for each in versions if each.applied]
    return first_break(versions, numbers[-1]) if numbers else None


def _migrate(database: PeeweeDatabase, version: int | None) -> list[str]:
    try:
        return migrate(database, version)
    except UnknownVersion:
        raise click.ClickException(
            f"the schema cannot go up to version {version}: see forum migrate --status"
        ) from None


@click.command()
@click.argument("file", type=File(must_exist=False))
@click.option("--with-secret", is_flag=True, help="Save the secret that signs the tokens, too.")
def backup(file: Path, with_secret: bool) -> None:
    """Save the SQLite database to a new FILE.

    The service may write on. Every write that was answered before is in it. For PostgreSQL there is
    pg_dump.
    """
    settings = Settings.from_environment()
    with opened_sqlite(settings, "pg_dump --format=custom") as source:
        source.require()
        source.give_way_to_signals()
        sqlite_backup.backup(source, file, _saved_secrets() if with_secret else [])
    click.echo(f"saved to {printable(str(file))}")
    if not with_secret:
        where = secret_file(settings) or "FORUM_SECRET_KEY"
        click.echo(f"The secret is not in it: save {where}, too", err=True)


def _saved_secrets() -> list[str]:
    with opened_secret_file() as path:
        if not path.exists():
            raise click.ClickException(f"there is no secret at {path}")
        return load_secrets(path)


@click.command()
@click.argument("file", type=File(must_exist=True))
def restore(file: Path) -> None:
    """Make the SQLite database of a backup FILE.

    The backup is checked first. A database or a secret that is there already is not overwritten.
    """
    settings = Settings.from_environment()
    with opened_sqlite(settings, "pg_restore") as target:
        known = _known_secrets(settings)
        place = secret_file(settings)
        saved = sqlite_backup.restore(file, target, place, known)
    click.echo(f"restored {printable(str(target.path))}")
    if not saved and not known:
        click.echo(f"{_LOST_TOKENS} their secret is neither in the backup nor at {place}", err=True)
    elif known and not set(saved) <= set(known):
        click.echo(f"{_LOST_TOKENS} FORUM_SECRET_KEY is not the secret in the backup", err=True)


_LOST_TOKENS = "Tokens issued before are not valid:"


def _known_secrets(settings: Settings) -> list[str]:
    """The secrets in the place where the restored database would have them."""
    if settings.secret_key:
        return [settings.secret_key, *settings.old_secret_keys]
    with opened_secret_file() as path:
        return load_secrets(path) if path.exists() else []
