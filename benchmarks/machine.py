"""What was measured with what, where."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import apsw

_PACKAGES = ("gunicorn", "falcon", "uvloop", "apsw")


def machine() -> dict[str, str | int]:
    """The processors, the kernel and Python."""
    return {
        "cpu": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Of what every target runs on, and of wrk."""
    return {
        **{package: version(package) for package in _PACKAGES},
        "sqlite": apsw.sqlite_lib_version(),
        "wrk": _wrk(),
    }


def _wrk() -> str:
    # It prints its help too, and fails.
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return said.split()[1]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
