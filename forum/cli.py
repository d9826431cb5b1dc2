"""The console script `forum`."""

import logging

import click

from forum import __version__
from forum.adapters.migrations import migrate, status
from forum.config import BadSetting, Settings
from forum.main import opened_database, prepare
from forum.server import Server


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


@main.command("migrate")
@click.argument("version", type=int, required=False)
@click.option("--status", "only_status", is_flag=True, help="Print the versions; change nothing.")
def migrate_command(version: int | None, only_status: bool) -> None:
    """Bring the schema of the database up to date, or up to VERSION.

    All or nothing. There is no way back but a backup.
    """
    with opened_database(Settings.from_environment()) as database:
        if not only_status:
            for name in migrate(database, version):
                click.echo(f"applied {name}")
        for each in status(database):
            click.echo(f"{each.name}  {each.applied or 'not applied'}")


@main.command()
def config() -> None:
    """Print the effective settings, secrets masked."""
    for name, value in Settings.from_environment().shown().items():
        click.echo(f"{name}={value}")
