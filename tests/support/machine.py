"""A machine in a folder, on which the lines of docs/operations.md run as they are printed.

What is absolute in them and in the files of deploy/ is moved into the folder, addresses get ports
of their own, and what needs root, systemd or the internet is left to stand-ins.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.nginx import certify, nginx, on_ports, start_nginx, write_main
from tests.support.servers import free_port
from tests.support.units import Unit

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["deploy", "forum", "pyproject.toml", "README.md", "LICENSE"]
FOLDERS = [
    "etc/letsencrypt/live/forum.example", "etc/nginx/sites-available", "etc/nginx/sites-enabled",
    "etc/prometheus", "etc/systemd/system", "opt", "var/lib", "var/www/html",
]  # fmt: skip

PRELUDE = """
apt-get() { :; }
certbot() { :; }
useradd() { :; }
sudo() { if [ "$1" = -u ]; then shift 2; fi; "$@"; }
install() {
    local kept=() each
    for each; do case $each in --owner=*|--group=*) ;; *) kept+=("$each") ;; esac; done
    command install "${kept[@]}"
}
"""
"""What only root can do, or an authority for certificates, is not done."""

SYSTEMCTL = "sudo systemctl "

_ENDED = "ended with"
_PATIENCE = 120


class Shell:
    """A bash that goes on from line to line."""

    def __init__(self, folder: Path, variables: dict[str, str], prelude: str) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=variables, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.run(prelude)

    def run(self, command: str) -> str:
        """What a command prints. It must end in time, and with success."""
        assert self._bash.stdin
        assert self._bash.stdout
        watchdog = threading.Timer(_PATIENCE, self._bash.kill)
        watchdog.start()
        self._bash.stdin.write(f"{command}\nprintf '\\n{_ENDED} %s\\n' $?\n")
        self._bash.stdin.flush()
        printed = ""
        for line in self._bash.stdout:
            if line.startswith(_ENDED):
                watchdog.cancel()
                assert line == f"{_ENDED} 0\n", f"{command}\n{printed}"
                return printed.removesuffix("\n")
            printed += line
        raise AssertionError(f"{command}\n{printed}")

    def close(self) -> None:
        """End it."""
        self._bash.communicate(timeout=10)


class Machine:
    """The machine; it has a checkout, a certificate, and nothing installed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ports = {each: free_port() for each in ("forum", "metrics", "http", "https")}
        for name in FOLDERS:
            (root / name).mkdir(parents=True)
        self._check_out()
        write_main(root / "etc/nginx")
        self._certify()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        own_nginx = shlex.join(nginx(root / "etc/nginx"))
        prelude = f'{PRELUDE}nginx() {{ command {own_nginx} "$@"; }}'
        self._shell = Shell(root / "checkout", self._variables(), prelude)

    def run(self, command: str) -> str:
        """What a line of the documents prints here."""
        if command.startswith(SYSTEMCTL):
            self._systemctl()[command.removeprefix(SYSTEMCTL)]()
            return ""
        return self._shell.run(self._moved(command))

    def close(self) -> None:
        """Stop all that runs on it."""
        for name in list(self._running):
            self._stop(name)
        self._shell.close()

    def _systemctl(self) -> dict[str, Callable[[], object]]:
        """What systemd would do; its sockets and timers are only files here."""
        return {
            "daemon-reload": lambda: None,
            "enable --now forum.socket forum.service forum-backup.timer": self._start,
            "start forum.socket forum.service": self._start,
            "stop forum.socket": lambda: self._stop("forum"),
            "restart forum.service": self._restart,
            "reload forum.service": self._reload,
            "start forum-backup.service": self._save,
            "reload nginx": self._start_nginx,
            "reload prometheus": lambda: None,
        }

    def _unit(self, name: str) -> Unit:
        return Unit(self.root / "etc/systemd/system" / name)

    def _start(self) -> None:
        (self.root / "var/lib/forum").mkdir(exist_ok=True)
        own = {"FORUM_BIND": self._moved("127.0.0.1:8000"), "FORUM_WORKERS": "1"}
        self._running["forum"] = self._unit("forum.service").start(self.root, **own)

    def _stop(self, name: str) -> None:
        process = self._running.pop(name)
        process.terminate()
        assert process.wait(timeout=20) == 0

    def _restart(self) -> None:
        self._stop("forum")
        self._start()

    def _reload(self) -> None:
        assert self._unit("forum.service").values("ExecReload") == ["/bin/kill -HUP $MAINPID"]
        self._running["forum"].send_signal(signal.SIGHUP)

    def _save(self) -> None:
        folder = self.root / "var/lib/forum-backup"
        folder.mkdir(exist_ok=True)
        done = self._unit("forum-backup.service").run_once(folder)
        assert done.returncode == 0, done.stderr

    def _start_nginx(self) -> None:
        folder = self.root / "etc/nginx"
        self._running["nginx"] = start_nginx(folder, self.ports["https"])

    def _check_out(self) -> None:
        checkout = self.root / "checkout"
        ignored = shutil.ignore_patterns("__pycache__")
        for name in SOURCES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, checkout)
        for path in (checkout / "deploy").iterdir():
            path.write_text(self._moved(path.read_text()))
        site = checkout / "deploy/nginx.conf"
        site.write_text(on_ports(site.read_text(), self.ports["http"], self.ports["https"]))

    def _certify(self) -> None:
        folder = self.root / "etc/letsencrypt/live/forum.example"
        certify(folder)
        (self.root / ".curlrc").write_text(
            f"cacert = {folder}/fullchain.pem\n"
            f"connect-to = forum.example:443:127.0.0.1:{self.ports['https']}\n"
        )

    def _moved(self, text: str) -> str:
        text = re.sub(r"(?<![\w.])/(?=(etc|opt|var)/)", f"{self.root}/", text)
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{self.ports['forum']}")
        return text.replace("127.0.0.1:8001", f"127.0.0.1:{self.ports['metrics']}")

    def _variables(self) -> dict[str, str]:
        names = [each for each in os.environ if not each.startswith(("FORUM_", "PYTHON"))]
        own = {"CURL_HOME": str(self.root), "TMPDIR": str(self.root)}
        own["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {name: os.environ[name] for name in names} | own
