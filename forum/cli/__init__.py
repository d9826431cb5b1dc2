"""The console script `forum`."""

import json
from contextlib import suppress

import click

from forum import __version__, logs
from forum.cli.audit import audit
from forum.cli.database import backup, migrate_command, restore
from forum.cli.demo import demo
from forum.cli.errors import OneLineErrors, printable
from forum.cli.moving import copy_command, import_flaskapi
from forum.cli.secrets import secret
from forum.cli.users import user
from forum.config import Settings
from forum.environment import BadSetting
from forum.listening import reserved
from forum.main import render_openapi
from forum.server import Server
from forum.storage import prepare
from forum.upgrade import running_schema

_COMPLETION = """\
Completion of commands: put eval "$(_FORUM_COMPLETE=bash_source forum)" into ~/.bashrc, or the same
with zsh_source into ~/.zshrc.
"""


@click.group(
    cls=OneLineErrors,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_COMPLETION,
)
@click.version_option(__version__)
def main() -> None:
    """The backend of a simple forum.

    Settings are FORUM_* environment variables; `forum config` prints the effective ones.
    """
    with suppress(BadSetting):  # The command says so; its help needs no settings.
        settings = Settings.from_environment()
        # What a command has to say it prints.
        logs.configure(settings.log_format, "warning")


@main.command()
def serve() -> None:
    """Serve the API; make and migrate the database first.

    SIGTERM ends it, SIGHUP renews the workers; both answer the requests under way first. SIGUSR2
    starts the program anew beside it, on the same sockets: an upgrade that refuses nobody.
    """
    settings = Settings.from_environment()
    logs.configure(settings.log_format, settings.log_level)
    with reserved(settings):
        prepare(settings, running_schema())
    Server(settings).run()


@main.command()
def openapi() -> None:
    """Print the OpenAPI document, as the service answers it at /openapi.json."""
    click.echo(json.dumps(render_openapi(Settings.from_environment()), indent=2))


@main.command()
def config() -> None:
    """Print the effective settings, secrets masked."""
    for name, value in Settings.from_environment().shown().items():
        click.echo(f"{name}={printable(value)}")


for command in (
    migrate_command,
    backup,
    restore,
    copy_command,
    import_flaskapi,
    demo,
    user,
    audit,
    secret,
):
    main.add_command(command)
