"""nginx with the site in deploy/, on ports and with a certificate of its own."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

from tests.support.servers import free_port

SITE = (Path(__file__).resolve().parents[2] / "deploy/nginx.conf").read_text()

_MAIN = """
{user}
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/none;
    scgi_temp_path {folder}/none;
    uwsgi_temp_path {folder}/none;
    include {folder}/sites-enabled/*;
}}
"""
"""What stands around the sites, as in Debian, with the folders of a test."""


@dataclass
class Reply:
    """An answer."""

    status: int
    headers: HTTPMessage
    content: bytes

    @property
    def answer(self) -> Any:
        """Its JSON."""
        return json.loads(self.content)


@dataclass
class Site:
    """A running nginx, whose files are in the folder, and its two ports."""

    folder: Path
    http: int
    https: int

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> Reply:
        """The answer over TLS to a client with the address `source`."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.https, context=self.tls(), source_address=(source, 0), timeout=20
        )
        kind = {"Content-Type": "application/json"}
        with closing(connection):
            connection.request(method, path, body, kind | dict(headers or {}))
            return _read(connection.getresponse())

    def call_plainly(self, method: str, path: str) -> Reply:
        """The answer without TLS."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.http, timeout=20)) as connection:
            connection.request(method, path)
            return _read(connection.getresponse())

    def talk(self, sent: bytes) -> Reply:
        """What comes back for these bytes over TLS."""
        with self.connected() as connection:
            connection.sendall(sent)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return _read(response)

    @contextmanager
    def connected(self, *protocols: str) -> Iterator[ssl.SSLSocket]:
        """A connection whose client speaks these protocols."""
        context = self.tls()
        context.set_alpn_protocols(protocols)
        with (
            socket.create_connection(("127.0.0.1", self.https), timeout=20) as connection,
            context.wrap_socket(connection, server_hostname="forum.example") as tls,
        ):
            yield tls

    def tls(self) -> ssl.SSLContext:
        """What a client needs that trusts the certificate."""
        return ssl.create_default_context(cafile=self.folder / "fullchain.pem")


def _read(response: http.client.HTTPResponse) -> Reply:
    return Reply(response.status, response.msg, response.read())


def write_main(folder: Path) -> None:
    """Write what stands around the sites of the folder."""
    user = "user root;" if os.geteuid() == 0 else ""  # It alone may enter the folders of tests.
    (folder / "nginx.conf").write_text(_MAIN.format(user=user, folder=folder))


def certify(folder: Path) -> None:
    """Make a certificate for forum.example and this machine."""
    names = "subjectAltName=DNS:forum.example,IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=forum.example", "-addext", names,
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def on_ports(site: str, http: int, https: int) -> str:
    """The site with these ports of this machine alone."""
    return _replaced(
        site,
        {
            "listen 80;": f"listen 127.0.0.1:{http};",
            "listen [::]:80;": f"listen [::1]:{http};",
            "listen 443 ": f"listen 127.0.0.1:{https} ",
            "listen [::]:443 ": f"listen [::1]:{https} ",
        },
    )


def _replaced(text: str, new: Mapping[str, str]) -> str:
    for old in new:
        assert old in text, old
        text = text.replace(old, new[old])
    return text


@contextmanager
def proxying(folder: Path, upstream: int, site: str = SITE) -> Iterator[Site]:
    """nginx in front of that port, ready to be called; its files are in the folder."""
    ports = free_port(), free_port()
    own = {"127.0.0.1:8000": f"127.0.0.1:{upstream}", "/var/www/html": str(folder)}
    own["/etc/letsencrypt/live/forum.example"] = str(folder)
    write_main(folder)
    certify(folder)
    (folder / "sites-enabled").mkdir()
    (folder / "sites-enabled/forum").write_text(_replaced(on_ports(site, *ports), own))
    process = start_nginx(folder, ports[1])
    try:
        yield Site(folder, *ports)
    finally:
        process.terminate()
        process.wait(timeout=10)


def start_nginx(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """The nginx of the folder, which listens on that port."""
    log = folder / "error.log"
    with log.open("w") as file:
        process = subprocess.Popen([*nginx(folder), "-g", "daemon off;"], stderr=file)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return process
        time.sleep(0.02)
    process.kill()
    raise AssertionError(log.read_text())


def nginx(folder: Path) -> list[str]:
    """The command that runs the nginx of the folder."""
    return ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")]
