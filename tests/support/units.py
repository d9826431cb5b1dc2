"""Units of systemd, read and run without it, as far as those in deploy/ need that."""

import os
import re
import shlex
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path


class Unit:
    """A service."""

    def __init__(self, path: Path) -> None:
        self._lines = path.read_text().splitlines()

    def values(self, name: str) -> list[str]:
        """What stands behind each `name=`, in their order."""
        start = f"{name}="
        return [each.removeprefix(start) for each in self._lines if each.startswith(start)]

    def commands(self, name: str) -> list[list[str]]:
        """The words of each command of that name, after systemd's own escapes."""
        return [
            [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]
            for line in self.values(name)
        ]

    def environment(self) -> dict[str, str]:
        """The variables of the process."""
        [file] = self.values("EnvironmentFile")
        settings = re.findall(r"^(\w+)=(.*)$", Path(file).read_text(), re.MULTILINE)
        return {"PATH": os.environ["PATH"], **dict(settings)}

    def run_once(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a service of one shot there: its last command, or the one that failed."""
        try:
            for command in self.commands("ExecStartPre") + self.commands("ExecStart"):
                done = self._run(command, folder)
                if done.returncode:
                    break
        finally:
            for command in self.commands("ExecStopPost"):
                self._run(command, folder)
        return done

    def start(self, folder: Path, **variables: str) -> subprocess.Popen[bytes]:
        """Start a service of the type "notify", and wait until it says that it is ready."""
        assert self.values("Type") == ["notify"]
        [command] = self.commands("ExecStart")
        path = folder / "notify"
        variables |= self.environment() | {"NOTIFY_SOCKET": str(path)}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, ExitStack() as stack:
            told.bind(str(path))
            stack.callback(path.unlink)
            told.settimeout(30)
            log = stack.enter_context((folder / "log").open("a"))
            process = subprocess.Popen(command, cwd="/", env=variables, stdout=log, stderr=log)
            try:
                assert b"READY=1" in told.recv(1024)
            except BaseException:
                process.kill()
                raise
        return process

    def _run(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=self.environment(), capture_output=True, text=True, check=False
        )
