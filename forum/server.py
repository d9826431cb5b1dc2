"""gunicorn, set up for the forum."""

import shlex
from collections.abc import Sequence
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from forum.config import Settings
from forum.http.guard import Application
from forum.listening import UNIX, path_of
from forum.main import app
from forum.master import Master
from forum.metrics import MetricsServer
from forum.worker import Worker

__all__ = ["Server", "Worker"]

_MOST_CONNECTIONS = 4096
"""Of a worker, where it has descriptors for them: an idle one takes about 10 KiB."""


class Server(BaseApplication):  # type: ignore[misc]
    """A gunicorn master whose workers each build the service for themselves."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = MetricsServer(settings.metrics_bind) if settings.metrics_bind else None
        super().__init__()

    def load_config(self) -> None:
        for name, value in _options(self._settings).items():
            self.cfg.set(name, value)
        if self._metrics:
            self.cfg.set("on_starting", self._metrics.start)
            self.cfg.set("pre_fork", self._metrics.give_slot)
            self.cfg.set("post_fork", self._metrics.use_slot)
            self.cfg.set("child_exit", self._metrics.free_slot)
            self.cfg.set("on_exit", self._metrics.stop)

    def load(self) -> Application:
        return app(self._metrics.of_worker() if self._metrics else None)

    def run(self) -> None:
        Master(self, self._metrics.take_over if self._metrics else lambda: None).run()


def _options(settings: Settings) -> dict[str, Any]:
    def greet(arbiter: Arbiter) -> None:
        # It is for people; the standard error has the log.
        click.echo(_greeting(settings, [str(each) for each in arbiter.LISTENERS]))

    return {
        "bind": settings.bind,
        "umask": 0o777 & ~int(settings.socket_mode, 8),
        # Workers share nothing but the store, so one in memory has room for one alone.
        "workers": settings.workers if settings.database_url.is_shared else 1,
        "worker_class": Worker,
        "worker_connections": _MOST_CONNECTIONS,
        "loglevel": settings.log_level,
        "asgi_loop": "uvloop",
        "http_parser": "python",  # The fast one needs a package that is not published.
        "control_socket_disable": True,  # A second instance would take it over.
        "keepalive": 5,
        "when_ready": greet,
    }


def _greeting(settings: Settings, addresses: Sequence[str]) -> str:
    address, call = addresses[0], f"curl {addresses[0]}"
    hint = ", also for a browser" if settings.pages else ""
    if address.startswith(UNIX):
        call = f"curl --unix-socket {shlex.quote(path_of(address))} http://localhost"
        hint = ""
    path = "/" if settings.pages else "/articles"
    return (
        f"The forum listens on {' and '.join(addresses)}{hint}\n"
        f"{settings.database_url.whereabouts}\nTry: {call}{path}"
    )
