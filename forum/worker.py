"""gunicorn's `asgi` worker, with the bounds and deadlines that it lacks."""

import asyncio
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from gunicorn.asgi.lifespan import LifespanManager
from gunicorn.asgi.parser import UnsupportedTransferCoding
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.config import Config
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger
from gunicorn.workers.gasgi import ASGIWorker

from forum.config import BadSetting, Settings
from forum.main import prepare, require_usable

HEAD_SECONDS = 10
"""From the beginning of a connection to the end of its first head; afterwards gunicorn's `keepalive` counts."""

BODY_SECONDS = 30
"""From the end of a head to the end of its body."""

ANSWER_SECONDS = 30
"""For which a client may take nothing of an answer that waits for it."""

LINGER_SECONDS = 2
"""For which what a client still sends is read and dropped after an early answer, so that the answer is not lost."""

_LAST_CALL = 0.1
"""Seconds in which a request that is on its way to a stopping worker still arrives."""

_HEARTBEAT = 1.0
"""Seconds between two signs of life that gunicorn gets."""

_PAUSE = 1.0
"""Seconds before a worker that could not start makes room for the next try."""

_LOG_INTERVAL = 60.0
"""Seconds between two lines about too many connections."""

_STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class Connection(ASGIProtocol):  # type: ignore[misc]
    """One connection; at any moment it waits for a whole request, or works on one, or is closing.

    While it waits it has a deadline, and it stands in `worker.waiting`, from where it may be closed
    to make room for others.
    """

    def __init__(self, worker: "Worker") -> None:
        super().__init__(worker)
        self._timer: asyncio.TimerHandle | None = None
        self._is_half_closed = False
        self._is_cut = False
        self._is_lingering = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._task.add_done_callback(self._forget)  # type: ignore[attr-defined]  # just made
        self._wait(HEAD_SECONDS, self._keepalive_timeout)
        self.worker.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_lingering:
            super().data_received(data)

    def eof_received(self) -> bool:
        """A client that has sent everything may still listen: what it has sent whole is answered."""
        self._is_half_closed = True
        if self._is_lingering or self._is_ssl or self._current_request is None:
            return False
        if not self._has_read_all():
            self._cut_body()
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._set_timer(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel_timer()

    def give_way(self) -> None:
        """Close at once, while it waits."""
        del self.worker.waiting[self]
        self.transport.abort()
        self._request_ready.set()

    def _feed_callback_parser(self, data: bytes) -> bool:
        try:
            return bool(super()._feed_callback_parser(data))
        except ValueError:  # A number with too many digits for Python.
            self._send_error_response(400, "Bad Request")
            self._close_transport()
            return False

    def _on_headers_complete(self) -> bool:
        parser: Any = self._callback_parser
        if parser.is_chunked and (b"transfer-encoding", b"chunked") not in parser.headers:
            raise UnsupportedTransferCoding("Only chunked is supported")
        if parser.is_chunked or parser.content_length:
            self._wait(BODY_SECONDS, self._cut_body)
        return bool(super()._on_headers_complete())

    def _on_message_complete(self) -> None:
        self._stop_waiting()
        super()._on_message_complete()

    def _arm_keepalive_timer(self) -> None:
        if self._is_half_closed:
            self._keepalive_timeout()
            return
        super()._arm_keepalive_timer()
        self.worker.waiting[self] = None

    def _is_websocket_upgrade(self, request: object) -> bool:
        return False

    def _will_close(self, request: object, response_requires_close: object) -> bool:
        receiver: Any = self._body_receiver
        is_taken = self._has_read_all() and not receiver.buffered
        return not is_taken or bool(super()._will_close(request, response_requires_close))

    def _close_transport(self) -> None:
        if self._closed:
            return
        if self._current_request and not (self._has_read_all() or self._is_cut or self._is_ssl):
            self._linger()
        else:
            super()._close_transport()
            self._set_timer(ANSWER_SECONDS, self.transport.abort)

    def _has_read_all(self) -> bool:
        return self._callback_parser is None or bool(self._callback_parser.is_complete)

    def _linger(self) -> None:
        # To close with bytes unread resets the connection, and the client may lose the answer.
        self._closed = self._is_lingering = True
        self._resume_reading()
        self.transport.write_eof()
        self.worker.waiting[self] = None
        self._set_timer(LINGER_SECONDS, self.transport.abort)

    def _cut_body(self) -> None:
        self._is_cut = True
        self._body_receiver.signal_disconnect()  # type: ignore[attr-defined]  # made with the head
        self._set_timer(LINGER_SECONDS, self.transport.abort)

    def _wait(self, seconds: float, expire: Callable[[], object]) -> None:
        self.worker.waiting[self] = None
        self._set_timer(seconds, expire)

    def _stop_waiting(self) -> None:
        self.worker.waiting.pop(self, None)
        self._cancel_timer()

    def _set_timer(self, seconds: float, callback: Callable[[], object]) -> None:
        self._cancel_timer()
        self._timer = self.worker.loop.call_later(seconds, callback)

    def _cancel_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _forget(self, task: object) -> None:
        # Each of them leads back here: the connection would outlive its end, with what it has read.
        self._task = self._body_receiver = self._callback_parser = self._current_request = None


class Worker(ASGIWorker):  # type: ignore[misc]
    """Serves the forum, for `forum serve` as for `gunicorn -k forum.server.Worker 'forum.main:app()'`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.waiting: dict[Connection, None] = {}
        """The connections that carry no whole request, the one that waits longest first."""
        self._most_connections = _most_connections(self.cfg)
        self._crowd_was_logged = -math.inf

    @classmethod
    def check_config(cls, cfg: Config, log: Logger) -> None:
        """Called once, in the master, before any worker is started. Raises `SystemExit` with one line."""
        super().check_config(cfg, log)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            prepare(Settings.from_environment())
        except BadSetting as error:
            sys.exit(f"Error: {error}")
        _judge_renewals(log)

    def init_process(self) -> None:
        # uvloop loses a signal that comes before it runs, and gunicorn would wait for this process.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
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
        next(iter(self.waiting)).give_way()
        now = self.loop.time()
        if now - self._crowd_was_logged >= _LOG_INTERVAL:
            self._crowd_was_logged = now
            self.log.warning(
                "More than %d connections: those without a request are closed, the oldest first",
                self._most_connections,
            )

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        self.lifespan = LifespanManager(self.asgi, self.log, self.state)
        await self.lifespan.startup()
        for listener in self.sockets:
            server = await self.loop.create_server(
                lambda: Connection(self), sock=listener.sock, ssl=self._get_ssl_context()
            )
            self.servers.append(server)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _HEARTBEAT)
        await self._shutdown()

    async def _shutdown(self) -> None:
        for server in self.servers:
            server.close()
        await asyncio.sleep(_LAST_CALL)
        for connection in list(self.waiting):
            connection.give_way()
        await super()._shutdown()


def _most_connections(cfg: Config) -> int:
    """A quarter of the descriptors is left to the files and databases of the process."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(int(cfg.worker_connections), descriptors * 3 // 4)


def _judge_renewals(log: Logger) -> None:
    """Let SIGHUP reach gunicorn only where new workers could serve: it ends the old ones in any case."""
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
