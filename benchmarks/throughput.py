"""Requests a second of the usual calls, beside a no-op on the same server and, if asked, another checkout.

    python benchmarks/throughput.py [--against ../forum-before] [--rounds 5] [--seconds 3]

Every round measures everything once, one after the other, so that a noisy machine is noisy to all;
what counts is the ratio, and of it the median over the rounds. Needs wrk (Debian: apt-get install wrk).
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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from forum.adapters.migrations import migrate
from forum.adapters.sql import SqlArticles, SqlUsers
from forum.adapters.sqlite import SqliteDatabase
from forum.domain.model import Author

HERE = Path(__file__).resolve().parent.parent
ARTICLES = 10_000
CREDENTIALS = {"username": "alice#1", "password": "Password#1"}
WORKERS = "2"


@dataclass(frozen=True)
class Target:
    """A server to measure, and a token that it accepts."""

    name: str
    url: str
    token: str


@click.command()
@click.option("--against", type=click.Path(exists=True, path_type=Path), help="Another checkout.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=3, show_default=True, help="Length of one measurement.")
def main(against: Path | None, rounds: int, seconds: int) -> None:
    """Print a table of medians."""
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: apt-get install wrk")
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        targets = [stack.enter_context(_noop())]
        checkouts = {"this": HERE} | ({"other": against} if against else {})
        for name, checkout in checkouts.items():
            targets.append(stack.enter_context(_forum(name, checkout, Path(folder) / name)))
        _report(_measure(targets, rounds, seconds))


def _measure(
    targets: list[Target], rounds: int, seconds: int
) -> dict[tuple[str, str], list[float]]:
    results: dict[tuple[str, str], list[float]] = {}
    with click.progressbar(range(rounds), label="Rounds", file=sys.stderr) as bar:
        for _ in bar:
            for target in targets:
                for call, script in _calls(target).items():
                    rate = _wrk(target.url, script, seconds)
                    results.setdefault((target.name, call), []).append(rate)
    return results


def _calls(target: Target) -> dict[str, str]:
    if target.name == "no-op":
        return {"GET /articles": 'wrk.path = "/articles"'}
    token = {"access-token": target.token}
    article = {"title": "A title", "text": "A text", **token}
    return {
        "GET /articles": 'wrk.path = "/articles"',
        "GET /articles?page=500": 'wrk.path = "/articles?page=500"',
        "GET /articles/{id}": 'wrk.path = "/articles/77"',
        "POST /verify-token": _post("/verify-token", token),
        "POST /articles/new": _post("/articles/new", article),
        "POST /login": _post("/login", CREDENTIALS),
    }


def _post(path: str, body: object) -> str:
    return (
        f'wrk.method = "POST"; wrk.path = "{path}"; wrk.body = {json.dumps(json.dumps(body))}; '
        'wrk.headers["Content-Type"] = "application/json"'
    )


def _wrk(url: str, script: str, seconds: int) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", "-c32", f"-d{seconds}", "-s", file.name, url]
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
    return statistics.median(rate / other for rate, other in zip(rates, others, strict=True))


@contextmanager
def _noop() -> Iterator[Target]:
    options = ["-k", "asgi", "-w", WORKERS, "--no-control-socket", "--log-level", "error"]
    options += ["--http-parser", "python", "--asgi-lifespan", "off", "--keep-alive", "5"]
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", *options, "-b", f"127.0.0.1:{port}", "noop:app"]
    with _running(command, HERE / "benchmarks", port, {}):
        yield Target("no-op", f"http://127.0.0.1:{port}", "")


@contextmanager
def _forum(name: str, checkout: Path, folder: Path) -> Iterator[Target]:
    port = _free_port()
    folder.mkdir()
    _fill(folder / "forum.db")
    environment = {
        "FORUM_DATABASE_URL": f"sqlite:///{folder}/forum.db",
        "FORUM_BIND": f"127.0.0.1:{port}",
        "FORUM_WORKERS": WORKERS,
        "PYTHONPATH": str(checkout),
    }
    with _running([sys.executable, "-m", "forum", "serve"], checkout, port, environment):
        url = f"http://127.0.0.1:{port}"
        _call(url + "/register", CREDENTIALS)
        yield Target(name, url, _call(url + "/login", CREDENTIALS)["access-token"])


def _fill(path: Path) -> None:
    database = SqliteDatabase(path, busy_timeout=5)
    database.create()
    migrate(database)
    users, articles = SqlUsers(database), SqlArticles(database)
    start = datetime.now(UTC) - timedelta(seconds=ARTICLES)
    with database.exclusive():
        people = [users.add(f"user-{number}", "no hash", start) for number in range(100)]
        for number in range(ARTICLES):
            author = Author(people[number % 100].id, people[number % 100].username)
            articles.add(
                author,
                f"Article number {number}",
                "Some text. " * 50,
                start + timedelta(seconds=number),
            )
    database.release()


@contextmanager
def _running(
    command: list[str], folder: Path, port: int, environment: dict[str, str]
) -> Iterator[None]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FORUM_")}
    with subprocess.Popen(
        command, cwd=folder, env={**kept, **environment}, stderr=subprocess.DEVNULL
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
