"""Throw-away PostgreSQL servers, from the binaries that are installed."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import LiteralString

import psycopg

from forum.adapters.sql.migrations import migrate
from tests.support.stores import open_database

_numbers = count()

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "wal_level": "replica",
    "hot_standby": "on",
}


def find_binaries() -> Path | None:
    """The folder of the newest PostgreSQL on this machine, or None."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name)
    )
    on_path = shutil.which("initdb")
    return folders[-1] if folders else Path(on_path).resolve().parent if on_path else None


class Cluster:
    """One server with its own folder and port. PostgreSQL refuses root, so root becomes nobody."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.spare: list[str] = []
        """The URLs of databases that are empty and in nobody's use."""
        self.spare_forums: list[str] = []
        """Likewise, of databases whose tables are empty."""
        self._binaries = binaries
        self._user = "nobody" if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        """Where its one database is, with a superuser who needs no password."""
        return f"postgresql://forum@127.0.0.1:{self.port}/postgres"

    def initialise(self) -> None:
        """Make an empty server that keeps its times far from UTC."""
        self._run(
            "initdb", "-U", "forum", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"
        )
        self.configure(**_SETTINGS, timezone="Asia/Kathmandu")

    def follow(self, primary: "Cluster", name: str) -> None:
        """Become a standby of the primary."""
        source = f"host=127.0.0.1 port={primary.port} user=forum application_name={name}"
        self._run("pg_basebackup", "-R", "-c", "fast", "--no-sync", "-d", source)

    def configure(self, **settings: str) -> None:
        """Settings for the next start, or for `reload`."""
        with (self.folder / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def require_password(self, user: str) -> None:
        """Let the user in with the right password only, from now on."""
        path = self.folder / "pg_hba.conf"
        path.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{path.read_text()}")
        self.reload()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", f"-p {self.port}")

    def stop(self, mode: str = "fast") -> None:
        """Stop; the modes are those of pg_ctl."""
        self._control("stop", "-w", "-m", mode)

    def reload(self) -> None:
        """Take over what `configure` changed."""
        self._control("reload")

    def promote(self) -> None:
        """Make a standby the primary."""
        self._control("promote", "-w")

    def kill(self) -> None:
        """End it as a power failure does."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        (self.folder / "postmaster.pid").unlink()

    def processes(self) -> list[int]:
        """Its process ids, the first of them the server's own."""
        server = int((self.folder / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(
            ["pgrep", "-P", str(server)], capture_output=True, text=True, check=False
        ).stdout.split()
        return [server, *map(int, children)]

    def is_running(self) -> bool:
        """Whether pg_ctl sees it alive."""
        return (self.folder / "postmaster.pid").exists()

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", action, "-s", *options)

    def _run(self, program: str, *options: str) -> None:
        command = [str(self._binaries / program), "-D", str(self.folder), *options]
        log = self.folder.with_suffix(".log")
        with log.open("a") as output:
            status = subprocess.run(
                command, user=self._user, cwd="/", stdout=output, stderr=output, check=False
            ).returncode
        assert status == 0, log.read_text()


@contextmanager
def empty_cluster(folder: Path) -> Iterator[Cluster]:
    """A running server in the folder, gone at the end."""
    cluster = _new_cluster(folder)
    cluster.initialise()
    with _started(cluster):
        yield cluster


@contextmanager
def standby_of(primary: Cluster, name: str) -> Iterator[Cluster]:
    """A running standby beside the primary's folder, gone at the end."""
    cluster = _new_cluster(primary.folder.with_name(name))
    cluster.follow(primary, name)
    with _started(cluster):
        yield cluster


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder that the server's user may enter, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="forum-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def empty_database(cluster: Cluster) -> AbstractContextManager[str]:
    """The URL of an empty database, which is emptied in the end and used again: to make one takes
    long.
    """
    emptying = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
    return _borrowed(cluster, cluster.spare, _make_database, emptying)


def empty_forum(cluster: Cluster) -> AbstractContextManager[str]:
    """The URL of a database whose tables are there and empty, and are emptied in the end.

    Whoever changes the tables themselves must not use it.
    """
    emptying = "TRUNCATE users, counters, audit_entries RESTART IDENTITY CASCADE"
    return _borrowed(cluster, cluster.spare_forums, _make_forum, emptying)


@contextmanager
def _borrowed(
    cluster: Cluster, spare: list[str], make: Callable[[Cluster], str], emptying: LiteralString
) -> Iterator[str]:
    url = spare.pop() if spare else make(cluster)
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_END_OTHERS)
        connection.execute(emptying)
    spare.append(url)


def _make_forum(cluster: Cluster) -> str:
    url = _make_database(cluster)
    with closing(open_database(url, timeout=5)) as database:
        migrate(database)
    return url


_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def _make_database(cluster: Cluster) -> str:
    name = f"forum{next(_numbers)}"
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return cluster.url.removesuffix("postgres") + name


def _new_cluster(folder: Path) -> Cluster:
    binaries = find_binaries()
    assert binaries, "no PostgreSQL is installed"
    return Cluster(binaries, _own(folder))


@contextmanager
def _started(cluster: Cluster) -> Iterator[None]:
    cluster.start()
    try:
        yield
    finally:
        if cluster.is_running():
            cluster.stop("immediate")


def _own(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
