"""gunicorn's `asgi` worker, with the bounds that it lacks."""

import asyncio
import gc
import math
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.asgi.lifespan import LifespanManager
from gunicorn.config import Config
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger
from gunicorn.workers.gasgi import ASGIWorker

from forum import logs
from forum.adapters.sql.migrations import latest
from forum.config import Settings
from forum.connection import Connection
from forum.environment import BadSetting
from forum.storage import prepare, require_usable
from forum.upgrade import running_schema, tell_schema

_LAST_CALL = 0.1
"""Seconds in which a request that is on its way to a stopping worker still arrives."""

_HEARTBEAT = 1.0
"""Seconds between two signs of life that gunicorn gets."""

_PAUSE = 1.0
"""Seconds before a worker that could not start makes room for the next try."""

_LOG_INTERVAL = 60.0
"""Seconds between two lines about too many connections."""

_COLLECTION = (20_000, 20, 20)
"""Objects more between two looks for garbage than before, and how many looks until a deeper one.

Requests leave next to none that is not freed at once, while a full look at what is remembered takes
milliseconds. Lists asked anew are a tenth faster with it, and none of the calls is slower.
"""

_STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class Worker(ASGIWorker):  # type: ignore[misc]
    """Serves the forum.

    For `forum serve` as for `gunicorn -k forum.server.Worker 'forum.main:app()'`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.connections: dict[Connection, int] = {}
        """All of them, with the number of the request that each waited for when it was put here."""
        self.metrics: Any = None
        """What it counts with, where `forum serve` serves metrics."""
        self._most_connections = _most_connections(self.cfg)
        self._crowd_was_logged = -math.inf
        # In the master, which forks next. uvloop loses a signal that comes before it runs, and
        # Python one that comes while it forks; gunicorn would wait for this process.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)

    @classmethod
    def setup(cls) -> None:
        """Called in the master, whenever gunicorn has set up its own log."""
        with suppress(BadSetting):  # `check_config` refuses it.
            settings = Settings.from_environment()
            logs.configure(settings.log_format, settings.log_level)

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        """Called once, in the master, before any worker is started.

        Raises `SystemExit` with one line.
        """
        super().check_config(cfg, log)
        _load_what_is_left()
        os.register_at_fork(after_in_parent=_release_signals)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            prepare(Settings.from_environment(), running_schema())
        except BadSetting as error:
            sys.exit(f"Error: {error}")
        for environment in (os.environ, cfg.env_orig):  # After SIGHUP, and before.
            tell_schema(environment, latest())
        _judge_renewals(log)

    def init_process(self) -> None:
        try:
            super().init_process()
        except AppImportError:
            raise
        except Exception:
            # With the status that gunicorn gives to a failed start it would end the whole service.
            self.log.exception("This worker could not start; the next one tries again")
            time.sleep(_PAUSE)
            sys.exit(1)

    def handle_exit_signal(self) -> None:
        super().handle_exit_signal()
        self._stop.set()

    def handle_quit_signal(self) -> None:
        super().handle_quit_signal()
        self._stop.set()

    def make_room(self) -> None:
        """Keep the number of connections below the bound: the one that waits longest gives way."""
        if self.nr_conns <= self._most_connections:
            return
        self._longest_waiting().give_way()
        now = self.loop.time()
        if now - self._crowd_was_logged >= _LOG_INTERVAL:
            self._crowd_was_logged = now
            self.log.warning(
                "More than %d connections: those without a request are closed, the oldest first",
                self._most_connections,
            )

    def _longest_waiting(self) -> Connection:
        # Those that had a request since they were put here begin to wait anew, at the end.
        while True:
            connection, known = next(iter(self.connections.items()))
            del self.connections[connection]
            if connection.is_waiting() and connection.req_count == known:
                return connection
            self.connections[connection] = connection.req_count

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        _release_signals()
        self.lifespan = LifespanManager(self.asgi, self.log, self.state)
        await self.lifespan.startup()
        gc.freeze()  # What was loaded by now is no garbage.
        gc.set_threshold(*_COLLECTION)
        for listener in self.sockets:
            server = await self.loop.create_server(
                lambda: Connection(self),
                sock=listener.sock,
                backlog=self.cfg.backlog,  # Or else it listens again, for 100.
                ssl=self._get_ssl_context(),
            )
            self.servers.append(server)
        self.log.info("Worker ready (pid: %s)", self.pid)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            if self.metrics:
                self.metrics.note_levels(connections=self.nr_conns)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _HEARTBEAT)
        await self._shutdown()

    async def _shutdown(self) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(_LAST_CALL)
        for connection in list(self.connections):
            if connection.is_waiting():
                connection.give_way()
        await super()._shutdown()


def _load_what_is_left() -> None:
    # When it is asked for, its files may be those of a later version.
    import forum.http.openapi  # noqa: F401, PLC0415  # commands have no use for it


def _release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


def _most_connections(cfg: Config) -> int:
    """A quarter of the descriptors is left to the files and databases of the process."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(int(cfg.worker_connections), descriptors * 3 // 4)


def _judge_renewals(log: Logger) -> None:
    """Let SIGHUP reach gunicorn only where new workers could serve.

    It ends the old ones in any case.
    """
    renew: Any = signal.getsignal(signal.SIGHUP)

    def judge(number: int, frame: FrameType | None) -> None:
        try:
            require_usable(Settings.from_environment())
        except BadSetting as error:
            log.error("The workers are not renewed: %s", error)  # noqa: TRY400  # it says all
        except Exception:  # gunicorn would end the service over any of them
            log.exception("The workers are not renewed")
        else:
            renew(number, frame)

    signal.signal(signal.SIGHUP, judge)
