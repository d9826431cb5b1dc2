"""Throw-away PgBouncers in front of a throw-away server, from the binary that is installed."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.clusters import Cluster
from tests.support.servers import free_port

_CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
default_pool_size = 60
"""


def find_pgbouncer() -> str | None:
    """The program; Debian puts it where only root looks."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def pooled(cluster: Cluster, url: str, mode: str) -> Iterator[str]:
    """The URL by which that database of the server is reached through a pooler in this mode."""
    program, port = find_pgbouncer(), free_port()
    assert program, "pgbouncer is not installed"
    users, file = (cluster.folder.with_name(f"{each}-{port}") for each in ("users", "pgbouncer"))
    users.write_text('"forum" ""\n')
    file.write_text(
        _CONFIGURATION.format(server_port=cluster.port, port=port, users=users, mode=mode)
    )
    user = "nobody" if os.geteuid() == 0 else None  # It refuses root.
    with file.with_suffix(".log").open("w") as log:
        process = subprocess.Popen([program, str(file)], user=user, stdout=log, stderr=log)
    try:
        _await(port, file.with_suffix(".log"))
        yield url.replace(f":{cluster.port}/", f":{port}/")
    finally:
        process.kill()
        process.wait()


def _await(port: int, log: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
