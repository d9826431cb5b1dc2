"""The console script `forum`."""

import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from forum import __version__
from forum.adapters import sqlite_backup
from forum.adapters.flaskapi import FlaskApiDatabase, NotTheOldDatabase
from forum.adapters.migrations import UnknownVersion, migrate, status
from forum.adapters.secret_file import add_secret, keep_secrets, load_secrets
from forum.adapters.sql import Database
from forum.adapters.sqlite import SqliteDatabase
from forum.adapters.tokens import key_id
from forum.config import BadSetting, Settings
from forum.domain.administration import Administration
from forum.domain.errors import UserNotFound
from forum.domain.importing import import_forum
from forum.domain.model import Account
from forum.domain.moving import CopyDiffers, StoreNotEmpty, UnreadableRow, copy
from forum.main import (
    MEMORY_URL,
    hash_all,
    opened_administration,
    opened_archive,
    opened_database,
    prepare,
    refuse_orphaned_secret,
    secret_file,
)
from forum.server import Server, reserved

T = TypeVar("T")

_INTERRUPTED = 128 + signal.SIGINT
"""The status with which shells tell that a command was interrupted."""


class OneLineErrors(click.Group):
    """Ends with status 1 and one line where the surroundings are at fault.

    Whatever a line quotes, no terminal obeys it.
    """

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        with _one_line():
            return super().make_context(*arguments, **extra)

    def invoke(self, context: click.Context) -> object:
        with _one_line():
            return super().invoke(context)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except BadSetting as error:
        message = " ".join(str(error).split())
        raise click.ClickException(_printable(message)) from error
    except click.ClickException as error:
        message = error.format_message()
        if message.isprintable():
            raise
        raise _Refusal(_printable(message), error.exit_code) from error


class _Refusal(click.ClickException):
    """One line, also for a mistake of usage."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it for the class


def _printable(text: str) -> str:
    """The text with escapes in the place of control characters, and of bytes that are not UTF-8."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


class _Word(click.ParamType[str]):
    """A word of the command line in UTF-8: no name, no URL and no id is anything else."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return _require_utf8(value, param)


class _File(click.Path):
    """The path of a file in UTF-8: SQLite takes no other."""

    def __init__(self, *, must_exist: bool) -> None:
        super().__init__(exists=must_exist, dir_okay=not must_exist, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(_require_utf8(value, param), param, ctx)


def _require_utf8(value: str, param: click.Parameter | None) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        name = param.human_readable_name if param else "a word"
        raise click.ClickException(f"{name} is not UTF-8") from None
    return value


_WORD = _Word()


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

    SIGTERM ends it, SIGHUP renews the workers; both answer the requests under way first.
    """
    settings = Settings.from_environment()
    with reserved(settings.bind):
        prepare(settings)
    Server(settings).run()


@main.command()
def config() -> None:
    """Print the effective settings, secrets masked."""
    for name, value in Settings.from_environment().shown().items():
        click.echo(f"{name}={_printable(value)}")


@main.command("migrate")
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
        if only_status:
            database.demand()
        else:
            for name in _migrate(database, version):
                click.echo(f"applied {name}")
        versions = status(database)
    for each in versions:
        click.echo(f"{each.name}  {each.applied or 'not applied'}")
    if only_status and not all(each.applied for each in versions):
        sys.exit(1)


def _migrate(database: Database, version: int | None) -> list[str]:
    try:
        return migrate(database, version)
    except UnknownVersion:
        raise click.ClickException(
            f"the schema cannot go up to version {version}: see forum migrate --status"
        ) from None


@main.command()
@click.argument("file", type=_File(must_exist=False))
@click.option("--with-secret", is_flag=True, help="Save the secret that signs the tokens, too.")
def backup(file: Path, with_secret: bool) -> None:
    """Save the SQLite database to a new FILE.

    The service may write on. Every write that was answered before is in it. For PostgreSQL there is pg_dump.
    """
    settings = Settings.from_environment()
    with opened_database(settings) as database:
        database.demand()
        source = _sqlite(database, "pg_dump --format=custom")
        sqlite_backup.backup(source, file, _saved_secrets() if with_secret else [])
    click.echo(f"saved to {_printable(str(file))}")
    if not with_secret:
        where = "FORUM_SECRET_KEY" if settings.secret_key else secret_file(settings)
        click.echo(f"The secret is not in it: save {where}, too", err=True)


def _saved_secrets() -> list[str]:
    with _secret_file() as path:
        if not path.exists():
            raise click.ClickException(f"there is no secret at {path}")
        return load_secrets(path)


@main.command()
@click.argument("file", type=_File(must_exist=True))
def restore(file: Path) -> None:
    """Make the SQLite database of a backup FILE.

    The backup is checked first. A database or a secret that is there already is not overwritten.
    """
    settings = Settings.from_environment()
    with opened_database(settings) as database:
        target = _sqlite(database, "pg_restore")
        known = _known_secrets(settings)
        place = None if settings.secret_key else secret_file(settings)
        saved = sqlite_backup.restore(file, target, place, known)
    click.echo(f"restored {_printable(target.database)}")
    if not saved and not known:
        click.echo(f"{_LOST_TOKENS} their secret is neither in the backup nor at {place}", err=True)
    elif known and not set(saved) <= set(known):
        click.echo(f"{_LOST_TOKENS} FORUM_SECRET_KEY is not the secret in the backup", err=True)


_LOST_TOKENS = "Tokens issued before are not valid:"


def _known_secrets(settings: Settings) -> list[str]:
    """The secrets in the place where the restored database would have them."""
    if settings.secret_key:
        return [settings.secret_key, *settings.old_secret_keys]
    with _secret_file() as path:
        return load_secrets(path) if path.exists() else []


def _sqlite(database: Database, other: str) -> SqliteDatabase:
    if not isinstance(database, SqliteDatabase):
        raise click.ClickException(f"this is for SQLite; PostgreSQL has {other}")
    return database


@main.command("copy")
@click.argument("source", type=_WORD)
@click.argument("target", type=_WORD)
def copy_command(source: str, target: str) -> None:
    """Copy everything into an empty database.

    SOURCE and TARGET are URLs like FORUM_DATABASE_URL. Ids stay, also of what was deleted: none is given again. Counts and a checksum are compared.
    All or nothing.
    """
    settings = Settings.from_environment()
    with (
        _interruptible(),
        opened_archive(replace(settings, database_url=source)) as old,
        opened_archive(replace(settings, database_url=target), create=True) as new,
        _explained(),
    ):
        total = copy(old, new, _show_progress)
    counts = total.counts
    click.echo(
        f"copied {counts.accounts} users, {counts.articles} articles and {counts.sessions} sessions; "
        f"SHA-256 {total.checksum}"
    )


@main.command("import-flaskapi")
@click.argument("file", type=_File(must_exist=True))
def import_flaskapi(file: Path) -> None:
    """Import from the older Flask program.

    FILE is its SQLite database. Ids, dates, authors and passwords stay; the passwords are hashed, on all processors. All or
    nothing, into an empty database; a second time changes nothing. Whatever cannot be imported, or
    will not work as before, is told.
    """
    settings = Settings.from_environment()
    hash_passwords = partial(hash_all, settings)
    with _interruptible(), _explained():
        old = FlaskApiDatabase(file)
        with opened_archive(settings, create=True) as archive:
            done = import_forum(old, archive, hash_passwords, _show_progress)
    for remark in done.remarks:
        click.echo(remark)
    verb = "were imported before" if done.was_done_before else "imported"
    click.echo(
        f"{done.users} users and {done.articles} articles {verb}; {len(done.remarks)} remarks"
    )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ends the process with 130 at SIGINT, after all that surrounds the work inside has cleaned up."""

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # A second one would disturb the cleaning.
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Error: interrupted", err=True)
        os._exit(_INTERRUPTED)  # Nobody waits for threads that are still hashing.
    finally:
        signal.signal(signal.SIGINT, before)


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
    except NotTheOldDatabase as error:
        raise click.ClickException(
            f"this is not the database of the Flask program: {error}"
        ) from None


def _show_progress(label: str, items: Iterable[T], length: int | None = None) -> Iterable[T]:
    with click.progressbar(items, length, f"{label:10}", show_pos=True, file=sys.stderr) as bar:
        yield from bar


@main.group()
def user() -> None:
    """Look after accounts, each by its USERNAME."""


@user.command("list")
def list_users() -> None:
    """Print every user.

    Id, name, date of registration, and whether disabled.
    """
    with _administration() as administration:
        for account in administration.list_all():
            click.echo(_line(account))


@user.command()
@click.argument("username", type=_WORD)
def show(username: str) -> None:
    """Print a user and their sessions."""
    with _administration() as administration:
        account, sessions = administration.show(username)
        click.echo(_line(account))
        for session in sessions:
            click.echo(
                f"  session {session.id}: created {session.created:%F %T}, "
                f"last used {session.last_used:%F %T}, expires {session.expires:%F %T}"
            )


@user.command()
@click.argument("username", type=_WORD)
def disable(username: str) -> None:
    """Keep a user out: their sessions end, and they cannot log in."""
    with _administration() as administration:
        administration.disable(username)


@user.command()
@click.argument("username", type=_WORD)
def enable(username: str) -> None:
    """Let a user log in again."""
    with _administration() as administration:
        administration.enable(username)


@user.command("reset-password")
@click.argument("username", type=_WORD)
def reset_password(username: str) -> None:
    """Print a new random password for a user.

    Their sessions end.
    """
    with _administration() as administration:
        click.echo(administration.reset_password(username))


@user.command()
@click.argument("username", type=_WORD)
def logout(username: str) -> None:
    """End all sessions of a user."""
    with _administration() as administration:
        click.echo(f"{administration.log_out(username)} sessions ended")


@user.command()
@click.argument("username", type=_WORD)
@click.option(
    "--articles-to",
    type=_WORD,
    metavar="USERNAME",
    help="Who gets the articles, instead of nobody.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(username: str, articles_to: str | None, yes: bool) -> None:
    """Delete a user and their articles.

    Or hand the articles to somebody else.
    """
    if articles_to == username:
        raise click.UsageError("nobody inherits from himself")
    with _administration() as administration:
        administration.show(username)
        keep = articles_to is not None
        what = f"give the articles to {articles_to}" if keep else "all the articles"
        if not yes:
            click.confirm(_printable(f"Delete {username} and {what}?"), abort=True)
        administration.delete(username, articles_to)


@contextmanager
def _administration() -> Iterator[Administration]:
    try:
        with opened_administration(Settings.from_environment()) as administration:
            yield administration
    except UserNotFound as error:
        raise click.ClickException(f"there is no user {error.id or repr(error.id)}") from None


def _line(account: Account) -> str:
    registered = f"{account.user.date_registered:%F %T}"
    state = "  disabled" if account.is_disabled else ""
    return f"{account.user.id}  {account.user.username!r}  registered {registered}{state}"


@main.group()
def secret() -> None:
    """Change the secrets that sign the tokens.

    They are in a file beside the database. Where FORUM_SECRET_KEY is set, change it there: the new one signs, and the old one goes to
    FORUM_OLD_SECRET_KEYS until its tokens have expired.
    """


@secret.command("list")
def list_secrets() -> None:
    """Print the ids of the secrets.

    The first signs, all verify.
    """
    with _secret_file() as path:
        for each in load_secrets(path):
            click.echo(key_id(each))


@secret.command()
def rotate() -> None:
    """Sign with a new secret from now on.

    The tokens of the old ones stay good. Running servers take it over at the next SIGHUP or restart, one after the other.
    """
    with _secret_file() as path:
        add_secret(path)
        click.echo(f"{key_id(load_secrets(path)[0])} signs after the next SIGHUP or restart")


@secret.command()
@click.argument("id", type=_WORD)
def drop(id: str) -> None:
    """Forget the secret with this ID.

    Everybody under it is logged out by the next SIGHUP or restart.
    """
    with _secret_file() as path:
        secrets = load_secrets(path)
        kept = [each for each in secrets if key_id(each) != id]
        if len(kept) == len(secrets):
            raise click.ClickException(f"there is no secret {id}: see forum secret list")
        if not kept:
            raise click.ClickException("this is the only secret: rotate first")
        keep_secrets(path, kept)


@contextmanager
def _secret_file() -> Iterator[Path]:
    settings = Settings.from_environment()
    if settings.secret_key or settings.database_url == MEMORY_URL:
        raise click.ClickException("the secret is not in a file: see forum secret --help")
    try:
        yield secret_file(settings)
    except OSError as error:
        raise click.ClickException(f"the secret cannot be used: {error}") from error
