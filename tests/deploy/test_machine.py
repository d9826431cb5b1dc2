"""A machine on which docs/operations.md is followed, from nothing to a changed secret."""

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forum import __version__
from forum.domain.errors import WrongCredentials
from forum.http.errors import ANSWERS
from tests.deploy.conftest import require
from tests.support.machine import Machine
from tests.support.operations import sections
from tests.support.servers import PASSWORD, running

SECTIONS = [
    "Install", "Serve", "HTTPS", "Watch", "Save every night", "Practise a restore", "Roll back",
    "Change the secret",
]  # fmt: skip
"""What is followed, in this order."""

CREDENTIALS = {"username": "alice#1", "password": PASSWORD}


def follow(machine: Machine, heading: str) -> str:
    """What the lines of that section print."""
    return "\n".join(map(machine.run, sections()[heading]))


def call(machine: Machine, path: str, body: object) -> Any:
    """What the forum there answers over HTTPS."""
    kind, raw = "Content-Type: application/json", json.dumps(body)
    url = f"https://forum.example{path}"
    return json.loads(machine.run(f"curl --no-progress-meter '{url}' -H '{kind}' -d '{raw}'"))


def owner(machine: Machine, token: str) -> str | None:
    """Whose token it is."""
    name: str | None = call(machine, "/verify-token", {"access-token": token}).get("username")
    return name


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine, with the forum from the wheel installed."""
    require("curl", "nginx", "openssl", "promtool")
    machine = Machine(tmp_path_factory.mktemp("machine"))
    try:
        follow(machine, "Install")
        yield machine
    finally:
        machine.close()


@pytest.fixture(scope="module")
def binaries(machine: Machine) -> Path:
    return machine.root / "opt/forum/bin"


def test_the_wheel_says_what_it_is(machine: Machine) -> None:
    [wheel] = (machine.root / "checkout/dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        folder = f"plain_forum-{__version__}.dist-info"
        metadata = archive.read(f"{folder}/METADATA").decode()
        assert "Classifier: Private :: Do Not Upload" in metadata
        assert "forum/py.typed" in archive.namelist()


def test_the_wheel_brings_the_command(binaries: Path) -> None:
    printed = subprocess.check_output([binaries / "forum", "--version"], text=True)
    assert printed == f"forum, version {__version__}\n"


def test_the_wheel_finds_all_that_it_needs(binaries: Path) -> None:
    command = [sys.executable, "-m", "pip", "--python", binaries / "python", "check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_wheel_serves_on_postgres(
    tmp_path: Path, binaries: Path, new_postgres: Callable[[], str]
) -> None:
    settings = {"DATABASE_URL": new_postgres(), "SECRET_KEY": "x" * 32, "WORKERS": "1"}
    isolated = ["-I", "-m", "forum", "serve"]  # nothing from the checkout is imported
    with running(tmp_path, command=isolated, python=str(binaries / "python"), **settings) as server:
        token = server.sign_up()
        assert server.call("POST", "/verify-token", {"access-token": token})[0] == 200


@dataclass
class Story:
    """What was seen while the document was followed."""

    token: str
    """Of the first login."""
    watched: str
    drill: str
    late_login: Any
    """The answer to a user who had come after the copy that was restored."""
    owners: dict[str, str | None]
    """Whose token it was, after each section."""


@pytest.fixture(scope="module")
def story(machine: Machine) -> Story:
    follow(machine, "Serve")
    follow(machine, "HTTPS")
    call(machine, "/register", CREDENTIALS)
    token: str = call(machine, "/login", CREDENTIALS)["access-token"]
    watched = follow(machine, "Watch")
    follow(machine, "Save every night")
    late = CREDENTIALS | {"username": "late#1"}
    call(machine, "/register", late)
    drill = follow(machine, "Practise a restore")
    late_login = call(machine, "/login", late)
    owners = {"restore": owner(machine, token)}
    follow(machine, "Roll back")
    owners["rollback"] = owner(machine, token)
    follow(machine, "Change the secret")
    return Story(token, watched, drill, late_login, owners)


def test_prometheus_finds_metrics_and_rules(story: Story) -> None:
    assert "\nforum_workers " in story.watched
    assert "5 rules found" in story.watched


def test_a_copy_is_restored_beside_the_service(story: Story) -> None:
    assert "alice#1" in story.drill


def test_what_came_after_the_copy_is_lost_with_the_database(story: Story) -> None:
    assert story.late_login == {"error": ANSWERS[WrongCredentials].sentence}


@pytest.mark.parametrize("section", ["restore", "rollback"])
def test_nobody_is_logged_out_by_a(section: str, story: Story) -> None:
    assert story.owners[section] == "alice#1"


def test_whoever_logged_in_under_a_dropped_secret_is_logged_out(
    story: Story, machine: Machine
) -> None:
    deadline = time.monotonic() + 20
    while owner(machine, story.token):
        assert time.monotonic() < deadline
