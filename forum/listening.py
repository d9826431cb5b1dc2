"""The addresses on which the service listens."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

from gunicorn.systemd import SD_LISTEN_FDS_START, listen_fds

from forum.config import Settings
from forum.environment import BadSetting
from forum.upgrade import is_beside_another

UNIX = "unix:"


@contextmanager
def reserved(settings: Settings) -> Iterator[None]:
    """Hold the addresses that the settings give, until the end of the block.

    An upgrade has none to hold: the master before listens on them, and hands its sockets over. From
    systemd come the sockets that are listened on instead of `bind`.
    Raises `BadSetting` where nothing can listen on one. gunicorn would try again for five seconds,
    and end without saying what to do.
    """
    with ExitStack() as stack:
        if not is_beside_another():
            if not _has_sockets_of_systemd():
                stack.enter_context(_held("FORUM_BIND", settings.bind))
            if settings.metrics_bind:
                stack.enter_context(_held("FORUM_METRICS_BIND", settings.metrics_bind))
        yield


def path_of(address: str) -> str:
    """The path of a `unix:` address."""
    return address.removeprefix(UNIX)


def _has_sockets_of_systemd() -> bool:
    """Whether there are any. Raises `BadSetting` where one of them takes no connections."""
    try:
        number: int = listen_fds(unset_environment=False)
    except ValueError:
        raise BadSetting("LISTEN_FDS and LISTEN_PID must be numbers: systemd sets them") from None
    for descriptor in range(SD_LISTEN_FDS_START, SD_LISTEN_FDS_START + number):
        if not _takes_connections(descriptor):
            raise BadSetting(
                f"LISTEN_FDS: the descriptor {descriptor} takes no connections: the socket unit "
                "must have ListenStream= alone, and Accept=no"
            )
    return number > 0


def _takes_connections(descriptor: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            return bool(copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


@contextmanager
def _held(name: str, bind: str) -> Iterator[None]:
    try:
        with closing(_bound(bind)):
            yield
    except OSError as error:
        raise BadSetting(f"{name}: nothing can listen on {bind}: {error}") from error


def _bound(bind: str) -> socket.socket:
    if bind.startswith(UNIX):
        return _unused(path_of(bind))
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
