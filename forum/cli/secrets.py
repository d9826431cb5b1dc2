"""`forum secret`: changing the secrets that sign the tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from forum.adapters.secret_file import add_secret, load_secrets, write_secrets
from forum.adapters.tokens import key_id
from forum.cli.parameters import WORD
from forum.config import Settings
from forum.secret_keys import secret_file


@click.group()
def secret() -> None:
    """Change the secrets that sign the tokens.

    They are in a file beside the database. Where FORUM_SECRET_KEY is set, change it there: the new
    one signs, and the old one goes to FORUM_OLD_SECRET_KEYS until its tokens have expired.
    """


@secret.command("list")
def list_secrets() -> None:
    """Print the ids of the secrets.

    The first signs, all verify.
    """
    with opened_secret_file() as path:
        for each in load_secrets(path):
            click.echo(key_id(each))


@secret.command()
def rotate() -> None:
    """Sign with a new secret from now on.

    The tokens of the old ones stay good. Running servers take it over at the next SIGHUP or
    restart, one after the other.
    """
    with opened_secret_file() as path:
        add_secret(path)
        click.echo(f"{key_id(load_secrets(path)[0])} signs after the next SIGHUP or restart")


@secret.command()
@click.argument("id", type=WORD)
def drop(id: str) -> None:
    """Forget the secret with this ID.

    Everybody under it is logged out by the next SIGHUP or restart.
    """
    with opened_secret_file() as path:
        secrets = load_secrets(path)
        kept = [each for each in secrets if key_id(each) != id]
        if len(kept) == len(secrets):
            raise click.ClickException(f"there is no secret {id}: see forum secret list")
        if not kept:
            raise click.ClickException("this is the only secret: rotate first")
        write_secrets(path, kept)


@contextmanager
def opened_secret_file() -> Iterator[Path]:
    """The path of the file of secrets; what goes wrong inside comes out as one line."""
    settings = Settings.from_environment()
    path = secret_file(settings)
    if path is None:
        raise click.ClickException(f"there is no file of secrets: {_why_none(settings)}")
    try:
        yield path
    except OSError as error:
        raise click.ClickException(f"the secret cannot be used: {error}") from error


def _why_none(settings: Settings) -> str:
    if settings.secret_key:
        return "FORUM_SECRET_KEY is set; see forum secret --help"
    return "a store in memory makes a secret for itself, which ends with its process"
