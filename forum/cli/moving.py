"""Commands that move a whole forum."""

import os
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from forum.adapters.flaskapi import FlaskApiDatabase, NotTheLegacyDatabase
from forum.adapters.passwords import Argon2Passwords
from forum.cli.parameters import WORD, File
from forum.cli.progress import show_progress
from forum.config import Settings
from forum.domain.moving.copying import CopyDiffers, StoreNotEmpty, UnreadableRow, copy
from forum.domain.moving.importing import GREATEST_ID, LegacyWarning, Reason, import_forum
from forum.storage import opened_bulk_store


@click.command("copy")
@click.argument("source", type=WORD)
@click.argument("target", type=WORD)
def copy_command(source: str, target: str) -> None:
    """Copy everything into an empty database.

    SOURCE and TARGET are URLs like FORUM_DATABASE_URL. Ids stay, also of what was deleted: none is
    given again. Counts and a checksum are compared. All or nothing.
    """
    settings = Settings.from_environment()
    with (
        opened_bulk_store(settings.on(source)) as old,
        opened_bulk_store(settings.on(target), create=True) as new,
        _explained(),
    ):
        total = copy(old, new, show_progress)
    counts = total.counts
    click.echo(
        f"copied {counts.accounts} users, {counts.articles} articles, {counts.sessions} sessions "
        f"and {counts.audit_entries} audit entries; SHA-256 {total.checksum}"
    )


@click.command("import-flaskapi")
@click.argument("file", type=File(must_exist=True))
def import_flaskapi(file: Path) -> None:
    """Import from the older Flask program.

    FILE is its SQLite database. Ids, dates, authors and passwords stay; the passwords are hashed,
    on all processors. All or nothing, into an empty database; a second time changes nothing.
    Whatever cannot be imported, or will not work as before, is listed.
    """
    settings = Settings.from_environment()
    hash_passwords = partial(hash_all, settings)
    with _explained():
        old = FlaskApiDatabase(file)
        with opened_bulk_store(settings, create=True) as target:
            done = import_forum(old, target, hash_passwords, show_progress)
    for warning in done.warnings:
        click.echo(sentence_of(warning))
    verb = "were imported before" if done.was_done_before else "imported"
    click.echo(
        f"{done.users} users and {done.articles} articles {verb}; {len(done.warnings)} warnings"
    )


_TOO_GREAT = f"an id above {GREATEST_ID} leaves no room for others"
_USER = "user {id!r} ({username!r})"
_SENTENCES = {
    Reason.USER_UNREADABLE: (
        f"{_USER} was not imported: the id, the name or the date cannot be read"
    ),
    Reason.USER_ID_TOO_GREAT: f"{_USER} was not imported: {_TOO_GREAT}",
    Reason.NAME_TAKEN: f"{_USER} was not imported: user {{other}} has the same name",
    Reason.BAD_NAME: f"{_USER} cannot log in: the name breaks today's rules",
    Reason.BAD_PASSWORD: f"{_USER} cannot log in: the password breaks today's rules",
    Reason.AUTHOR_MISSING: (
        "article {id!r} was not imported: its author, user {other!r}, is not there"
    ),
    Reason.ARTICLE_UNREADABLE: (
        "article {id!r} was not imported: the id or the date cannot be read"
    ),
    Reason.ARTICLE_ID_TOO_GREAT: f"article {{id}} was not imported: {_TOO_GREAT}",
    Reason.CHARACTERS_REPLACED: "article {id} has \ufffd where a character cannot be kept",
}


def sentence_of(warning: LegacyWarning) -> str:
    """What an operator reads about something that an import left out or altered."""
    return _SENTENCES[warning.reason].format_map(asdict(warning))


def hash_all(settings: Settings, passwords: Iterable[str]) -> Generator[str, None, None]:
    """The hashes of the passwords, in order, computed on all processors until it is closed."""
    hasher = Argon2Passwords(settings.hash_memory, settings.hash_passes)
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        yield from pool.map(hasher.hash, passwords)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except StoreNotEmpty:
        raise click.ClickException("the target has users or articles: it must be empty") from None
    except CopyDiffers:
        raise click.ClickException("the copy differs from its source: nothing was kept") from None
    except UnreadableRow as error:
        what = f"{error.column} of the row" if error.column else "the row"
        raise click.ClickException(
            f"{what} of {error.table} with the id {error.id!r} cannot be copied: nothing was kept"
        ) from None
    except NotTheLegacyDatabase as error:
        raise click.ClickException(
            f"this is not the database of the Flask program: {error}"
        ) from None
