"""Load from wrk, and what it measures."""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

CLIENTS = 32
BESIDE = 16
"""Clients that are not measured, and keep the server busy with something else."""

_SCRIPT = Path(__file__).with_name("replay.lua")
_PATIENCE = "30s"
_WITHOUT_END = 3600
"""Seconds."""


class Figures(NamedTuple):
    """What a call did in one measurement, or in the middle of several."""

    rate: float
    """Requests a second."""
    p50: float
    """Milliseconds, as the 99th percentile."""
    p99: float
    requests: float
    size: float
    """Bytes of an answer, with its head."""


def require_wrk() -> None:
    """Raise ClickException where wrk is missing."""
    if not shutil.which("wrk"):
        raise click.ClickException("wrk is not installed: apt-get install wrk")


def measure(
    name: str, port: int, requests: Sequence[bytes], seconds: int, clients: int = CLIENTS
) -> Figures:
    """The figures of clients that send these requests, the first again after the last.

    Raises ClickException with the name where any is refused or gets no answer.
    """
    with _sent(requests) as file:
        output = subprocess.run(
            _command(port, file, clients, seconds), capture_output=True, text=True, check=False
        ).stdout
    figures = _read(name, output)
    if not figures.requests:
        raise click.ClickException(f"{name}: no request was answered within {seconds} s")
    _let_end(figures)
    return figures


@contextmanager
def pressure(name: str, port: int, requests: Sequence[bytes]) -> Iterator[None]:
    """Some clients beside those that are measured, until the end of the block.

    Raises ClickException as `measure`.
    """
    with _sent(requests) as file:
        command = _command(port, file, BESIDE, _WITHOUT_END)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
            try:
                yield
            finally:
                wrk.send_signal(signal.SIGINT)
                output, _ = wrk.communicate()
    _let_end(_read(name, output))


def _let_end(figures: Figures) -> None:
    """Give the server time for what was under way when the clients left."""
    time.sleep(figures.p99 / 1000)


@contextmanager
def _sent(requests: Iterable[bytes]) -> Iterator[str]:
    """The name of a file that has these requests."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        file.writelines(each + b"\0" for each in requests)
        file.flush()
        yield file.name


def _command(port: int, file: str, clients: int, seconds: int) -> list[str]:
    options = ["-t1", f"-c{clients}", f"-d{seconds}", "--timeout", _PATIENCE, "-s", str(_SCRIPT)]
    return ["wrk", *options, f"http://127.0.0.1:{port}", "--", file]


def _read(name: str, output: str) -> Figures:
    try:
        result: dict[str, int] = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        raise click.ClickException(f"{name}: wrk has measured nothing") from None
    requests, refused, broken = result["requests"], result["refused"], result["broken"]
    if refused or broken:
        raise click.ClickException(
            f"{name}: of {requests} requests {refused} were refused, and {broken} not answered"
        )
    return Figures(
        rate=requests / result["microseconds"] * 1e6,
        p50=result["p50"] / 1000,
        p99=result["p99"] / 1000,
        requests=requests,
        size=result["bytes"] / max(requests, 1),
    )
