"""gunicorn, set up for the forum."""

import errno
import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from forum.config import Settings
from forum.environment import BadSetting
from forum.http.guard import Application
from forum.main import app
from forum.metrics import MetricsServer
from forum.worker import Worker

__all__ = ["Server", "Worker"]

_UNIX = "unix:"

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


def _options(settings: Settings) -> dict[str, Any]:
    def greet(arbiter: Arbiter) -> None:
        click.echo(_greeting(settings))  # It is for people; the standard error has the log.

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


def _greeting(settings: Settings) -> str:
    address, call = f"http://{settings.bind}", f"curl http://{settings.bind}"
    hint = ", also for a browser" if settings.pages else ""
    if settings.bind.startswith(_UNIX):
        address = settings.bind
        call = f"curl --unix-socket {shlex.quote(_path(address))} http://localhost"
        hint = ""
    path = "/" if settings.pages else "/articles"
    return (
        f"The forum listens on {address}{hint}\n{settings.database_url.whereabouts}\n"
        f"Try: {call}{path}"
    )


def _path(bind: str) -> str:
    return bind.removeprefix(_UNIX)


@contextmanager
def reserved(name: str, bind: str) -> Iterator[None]:
    """Hold the address, which the setting of this name gives, until the end of the block.

    Raises `BadSetting` where nothing can listen on it. gunicorn would try again for five seconds,
    and end without saying what to do.
    """
    try:
        with closing(_bound(bind)):
            yield
    except OSError as error:
        raise BadSetting(f"{name}: nothing can listen on {bind}: {error}") from error


def _bound(bind: str) -> socket.socket:
    if bind.startswith(_UNIX):
        return _unused(_path(bind))
    host, _, port = bind.rpartition(":")
    taken = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind((host.strip("[]"), int(port)))
    return taken


def _unused(path: str) -> socket.socket:
    # Its name is left alone: gunicorn takes it over from a service that has ended.
    probe = socket.socket(socket.AF_UNIX)
    with suppress(FileNotFoundError, ConnectionRefusedError):
        probe.connect(path)
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    return probe
