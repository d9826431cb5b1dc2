"""`forum user`: looking after accounts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from getpass import getuser
from socket import gethostname

import click

from forum.adapters.audit_log import ProcessAuditLog
from forum.adapters.clock import SystemClock
from forum.adapters.passwords import Argon2Passwords
from forum.cli.errors import printable
from forum.cli.parameters import WORD
from forum.cli.tables import aligned, timestamp
from forum.config import Settings
from forum.domain.administration import Administration, NoSuchUsername
from forum.domain.model import Account
from forum.services import wire_administration
from forum.storage import opened_repositories


@click.group()
def user() -> None:
    """Look after accounts, each by its USERNAME."""


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print an array of JSON, for programs.")
def list_users(as_json: bool) -> None:
    """Print every user.

    Id, name, date of registration, and whether disabled.
    """
    with _administration() as administration:
        accounts = list(administration.list_all())
    if as_json:
        click.echo(json.dumps([_as_json(each) for each in accounts], indent=2))
    else:
        head = ("ID", "USERNAME", "REGISTERED", "STATUS")
        for line in aligned(head, map(_cells, accounts)):
            click.echo(line)


@user.command()
@click.argument("username", type=WORD)
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
@click.argument("username", type=WORD)
def disable(username: str) -> None:
    """Keep a user out: their sessions end, and they cannot log in."""
    with _administration() as administration:
        administration.disable(username)


@user.command()
@click.argument("username", type=WORD)
def enable(username: str) -> None:
    """Let a user log in again."""
    with _administration() as administration:
        administration.enable(username)


@user.command("reset-password")
@click.argument("username", type=WORD)
def reset_password(username: str) -> None:
    """Print a new random password for a user.

    Their sessions end.
    """
    with _administration() as administration:
        click.echo(administration.reset_password(username))


@user.command()
@click.argument("username", type=WORD)
def logout(username: str) -> None:
    """End all sessions of a user."""
    with _administration() as administration:
        click.echo(f"{administration.log_out(username)} sessions ended")


@user.command()
@click.argument("username", type=WORD)
@click.option(
    "--articles-to",
    type=WORD,
    metavar="USERNAME",
    help="Who gets the articles, instead of nobody.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(username: str, articles_to: str | None, yes: bool) -> None:
    """Delete a user and their articles.

    Or give the articles to another user.
    """
    if articles_to == username:
        raise click.UsageError("the articles cannot go to the user who is deleted")
    with _administration() as administration:
        administration.show(username)
        keep = articles_to is not None
        what = f"give the articles to {articles_to}" if keep else "all the articles"
        if not yes:
            click.confirm(printable(f"Delete {username} and {what}?"), abort=True)
        administration.delete(username, articles_to)


@contextmanager
def _administration() -> Iterator[Administration]:
    try:
        settings = Settings.from_environment()
        hasher = Argon2Passwords(settings.hash_memory, settings.hash_passes)
        with opened_repositories(settings) as repositories:
            yield wire_administration(
                repositories,
                hasher=hasher,
                clock=SystemClock(),
                audit_log=ProcessAuditLog(),
                audit_lifetime=timedelta(seconds=settings.audit_lifetime),
                operator=f"operator {getuser()}",
                host=gethostname(),
            )
    except NoSuchUsername as error:
        raise click.ClickException(
            f"there is no user {error.username or repr(error.username)}"
        ) from None


def _as_json(account: Account) -> dict[str, object]:
    return {
        "id": account.user.id,
        "username": account.user.username,
        "date_registered": timestamp(account.user.date_registered),
        "is_disabled": account.is_disabled,
    }


def _cells(account: Account) -> tuple[str, ...]:
    user = account.user
    registered = f"{user.date_registered:%F %T}"
    status = "disabled" if account.is_disabled else ""
    return str(user.id), printable(user.username), registered, status


def _line(account: Account) -> str:
    registered = f"{account.user.date_registered:%F %T}"
    state = "  disabled" if account.is_disabled else ""
    return f"{account.user.id}  {account.user.username!r}  registered {registered}{state}"
