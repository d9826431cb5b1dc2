"""The console script `forum`."""

from contextlib import suppress
from pkgutil import resolve_name

import click

from forum import __version__, logs
from forum.cli.errors import OneLineErrors, printable
from forum.config import Settings
from forum.environment import BadSetting

_LATER = {
    "audit": "audit:audit",
    "backup": "database:backup",
    "copy": "moving:copy_command",
    "demo": "demo:demo",
    "import-flaskapi": "moving:import_flaskapi",
    "migrate": "database:migrate_command",
    "openapi": "serving:openapi",
    "restore": "database:restore",
    "secret": "secrets:secret",
    "serve": "serving:serve",
    "user": "users:user",
}
"""Where commands are that load more than the settings."""

_COMPLETION = """\
Completion of commands: put eval "$(_FORUM_COMPLETE=bash_source forum)" into ~/.bashrc, or the same
with zsh_source into ~/.zshrc.
"""


class _Commands(OneLineErrors):
    """Loads a command when it is asked for: all together take much longer than most of them."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *_LATER])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _LATER:
            return super().get_command(context, name)
        command: click.Command = resolve_name(f"forum.cli.{_LATER[name]}")
        return command


@click.group(
    cls=_Commands,
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
def config() -> None:
    """Print the effective settings, secrets masked."""
    for name, value in Settings.from_environment().shown().items():
        click.echo(f"{name}={printable(value)}")
