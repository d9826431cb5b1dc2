"""The service itself, and its document."""

import json

import click

from forum import logs
from forum.config import Settings
from forum.listening import reserved
from forum.main import render_openapi
from forum.server import Server
from forum.storage import prepare
from forum.upgrade import running_schema


@click.command()
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


@click.command()
def openapi() -> None:
    """Print the OpenAPI document, as the service answers it at /openapi.json."""
    click.echo(json.dumps(render_openapi(Settings.from_environment()), indent=2))
