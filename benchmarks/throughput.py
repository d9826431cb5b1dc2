"""Requests a second, beside a no-op on the same server and, if asked, another checkout.

    python benchmarks/throughput.py [--against ../forum-before] [--rounds 5] [--seconds 3]
    python benchmarks/throughput.py --against . --setting FORUM_ACCESS_LOG=on

Every round measures each call once on every server, one after the other, and the next round in the
other direction, so that noise is the same for all; what counts is the ratio, and of it the median
over the rounds. Needs wrk (Debian: apt-get install wrk).
"""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import apsw
import click

HERE = Path(__file__).resolve().parent.parent
ARTICLES = 10_000
CREDENTIALS = {"username": "alice#1", "password": "Password#1"}
WORKERS = "2"
LIST_BESIDE_LOGINS = "the same beside logins"


@dataclass(frozen=True)
class Target:
    """A server to measure, and a token that it accepts."""

    name: str
    url: str
    token: str


@click.command()
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another checkout.")
@click.option(
    "--setting", "settings", multiple=True, help="NAME=VALUE for this checkout, not the other."
)
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=3, show_default=True, help="Length of one measurement.")
def main(against: Path | None, settings: tuple[str, ...], rounds: int, seconds: int) -> None:
    """Print a table of medians."""
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: apt-get install wrk")
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        targets = [stack.enter_context(_noop())]
        special = dict(each.split("=", 1) for each in settings)
        targets.append(stack.enter_context(_forum("this", HERE, Path(folder) / "this", special)))
        if against:
            other = _forum("other", against, Path(folder) / "other", {})
            targets.append(stack.enter_context(other))
        _report(_measure(targets, rounds, seconds))


def _measure(
    targets: list[Target], rounds: int, seconds: int
) -> dict[tuple[str, str], list[float]]:
    results: dict[tuple[str, str], list[float]] = {}
    scripts = {target: _calls(target) for target in targets}
    # Call by call, so that what is compared is measured within seconds.
    pairs = [
        (each, call) for call in scripts[targets[-1]] for each in targets if call in scripts[each]
    ]
    with click.progressbar(range(rounds), label="Rounds", file=sys.stderr) as bar:
        for number in bar:
            # To and fro: what is measured after a costly call has less of the machine.
            for target, call in pairs[:: -1 if number % 2 else 1]:
                beside = call == LIST_BESIDE_LOGINS
                with _logins(target.url, seconds) if beside else nullcontext():
                    rate = _wrk(target.url, scripts[target][call], seconds)
                results.setdefault((target.name, call), []).append(rate)
    return results


def _calls(target: Target) -> dict[str, str]:
    if target.name == "no-op":
        return {"GET /articles": 'wrk.path = "/articles"'}
    token = {"access-token": target.token}
    login = _post("/login", CREDENTIALS)
    article = {"title": "A title", "text": "A text", **token}
    return {
        "GET /articles": 'wrk.path = "/articles"',
        "GET /articles?page=500": 'wrk.path = "/articles?page=500"',
        "GET /articles/{id}": 'wrk.path = "/articles/77"',
        "POST /verify-token": _post("/verify-token", token),
        "POST /articles/new": _post("/articles/new", article),
        "POST /login": login,
        LIST_BESIDE_LOGINS: 'wrk.path = "/articles"',
    }


def _post(path: str, body: object) -> str:
    return (
        f'wrk.method = "POST"; wrk.path = "{path}"; wrk.body = {json.dumps(json.dumps(body))}; '
        'wrk.headers["Content-Type"] = "application/json"'
    )


@contextmanager
def _logins(url: str, seconds: int) -> Iterator[None]:
    """Sixteen clients that log in one time after the other."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_wrk, url, _post("/login", CREDENTIALS), seconds, clients=16)
        yield


def _wrk(url: str, script: str, seconds: int, clients: int = 32) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}", "-s", file.name, url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        sys.exit(f"{url} refuses: {script}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return float(match.group(1)) if match else 0.0


def _report(results: dict[tuple[str, str], list[float]]) -> None:
    ceiling = results["no-op", "GET /articles"]
    click.echo(f"{'':8}{'call':26}{'requests/s':>12}{'of no-op':>10}{'of other':>10}")
    for (target, call), rates in results.items():
        other = results.get(("other", call))
        click.echo(
            f"{target:8}{call:26}{statistics.median(rates):12,.0f}{_ratio(rates, ceiling):10.2f}"
            + (f"{_ratio(rates, other):10.2f}" if other else "")
        )


def _ratio(rates: list[float], others: list[float]) -> float:
    pairs = zip(rates, others, strict=True)
    return statistics.median(rate / max(other, 1) for rate, other in pairs)


@contextmanager
def _noop() -> Iterator[Target]:
    options = ["-k", "asgi", "-w", WORKERS, "--no-control-socket", "--log-level", "error"]
    options += ["--http-parser", "python", "--asgi-lifespan", "off", "--keep-alive", "5"]
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", *options, "-b", f"127.0.0.1:{port}", "noop:app"]
    with _running(command, HERE / "benchmarks", port, {}):
        yield Target("no-op", f"http://127.0.0.1:{port}", "")


@contextmanager
def _forum(name: str, checkout: Path, folder: Path, settings: dict[str, str]) -> Iterator[Target]:
    port = _free_port()
    folder.mkdir()
    environment = {
        "FORUM_DATABASE_URL": f"sqlite:///{folder}/forum.db",
        "FORUM_BIND": f"127.0.0.1:{port}",
        "FORUM_WORKERS": WORKERS,
        "PYTHONPATH": str(checkout),
    }
    _forum_command("migrate", checkout, environment)
    _fill(folder / "forum.db")
    if "FORUM_THROTTLE=" in _forum_command("config", checkout, environment):
        environment["FORUM_THROTTLE"] = "off"
    environment |= settings
    command = [sys.executable, "-m", "forum", "serve"]
    with _running(command, checkout, port, environment):
        url = f"http://127.0.0.1:{port}"
        _call(url + "/register", CREDENTIALS)
        yield Target(name, url, _call(url + "/login", CREDENTIALS)["access-token"])


def _forum_command(name: str, checkout: Path, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "forum", name]
    environment = {**_environment(), **environment}
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=True
    ).stdout


def _fill(path: Path) -> None:
    """In plain SQL, which suits the schema of any version."""
    start = datetime(2020, 1, 1)  # noqa: DTZ001  # as it is stored
    users = (
        (id, f"user-{id}", "no hash", start.isoformat(timespec="microseconds"))
        for id in range(1, 101)
    )
    articles = (
        (
            1 + number % 100,
            (start + timedelta(seconds=number)).isoformat(timespec="microseconds"),
            f"Article number {number}",
            "Some text. " * 50,
        )
        for number in range(ARTICLES)
    )
    with closing(apsw.Connection(str(path))) as connection, connection:
        connection.executemany(_ADD_USER, users)
        connection.executemany(_ADD_ARTICLE, articles)


_ADD_USER = "INSERT INTO users (id, username, password_hash, date_registered) VALUES (?, ?, ?, ?)"
_ADD_ARTICLE = "INSERT INTO articles (user_id, date_posted, title, text) VALUES (?, ?, ?, ?)"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("FORUM_")}


@contextmanager
def _running(
    command: list[str], folder: Path, port: int, environment: dict[str, str]
) -> Iterator[None]:
    with subprocess.Popen(
        command, cwd=folder, env={**_environment(), **environment}, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await_port(process, port)
            yield
        finally:
            process.terminate()


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _call(url: str, body: object) -> dict[str, str]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as response:
        answer: dict[str, str] = json.load(response)
        return answer


if __name__ == "__main__":
    main()
