"""Upgrades over a version of the schema with which the program before can go on, and over one with
which it cannot; and the way back.
"""

import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.server.test_upgrade import AS_A_MODULE
from tests.support.servers import Server, environment, free_port, running
from tests.support.upgrades import are_ready, await_that, failed_upgrade, upgraded
from tests.support.versions import MOOD, TODAY, Releases, version

HARMLESS = version(TODAY)
BREAKING = version(TODAY + 2, MOOD)

PATHS = ("/readyz", "/articles", "/openapi.json")


@dataclass
class Story:
    """What was seen on the way up, back, and up again."""

    worst: dict[str, int] = field(default_factory=dict)
    """The worst status of several requests, at each stage."""
    refused_upgrade: list[str] = field(default_factory=list)
    """What is logged then."""
    refused_start: list[str] = field(default_factory=list)

    def ask(self, stage: str, server: Server) -> None:
        """Ask all that serve at the moment."""
        statuses = [server.call("GET", path)[0] for path in PATHS for _ in range(6)]
        self.worst[stage] = max(statuses)


def renew(server: Server, folder: Path) -> None:
    """Have another worker, from a configuration that is read anew."""
    before = server.workers()
    server.process.send_signal(signal.SIGHUP)
    await_that(lambda: before != server.workers() and are_ready(server, folder, 1), folder)


def refused_start(folder: Path, program: Path) -> list[str]:
    result = subprocess.run(
        [sys.executable, *AS_A_MODULE],
        cwd=folder,
        env=environment(BIND=f"127.0.0.1:{free_port()}") | {"PYTHONPATH": str(program)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 1
    return result.stderr.splitlines()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder, releases = tmp_path_factory.mktemp("service"), Releases(tmp_path_factory.mktemp("code"))
    story, settings = Story(), {"command": AS_A_MODULE, "program": releases.current, "WORKERS": "1"}
    with ExitStack() as stack:
        releases.install()
        server = stack.enter_context(running(folder, **settings))
        renew(server, folder)
        releases.remove()
        story.ask("without its files", server)
        releases.install(HARMLESS)
        upgrade = stack.enter_context(upgraded(server, folder, workers=1))
        story.ask("side by side", server)
        server.stop()
        story.ask("upgraded", upgrade)
        releases.install()
        server = stack.enter_context(upgraded(upgrade, folder, workers=1))
        upgrade.stop()
        story.ask("back", server)
        releases.install(HARMLESS, BREAKING)
        story.refused_upgrade = failed_upgrade(server, folder)
        story.ask("refused", server)
        server.stop()
    with running(folder, **settings) as server:
        story.ask("restarted", server)
    releases.install()
    story.refused_start = refused_start(folder, releases.current)
    return story


@pytest.mark.parametrize(
    "stage", ["without its files", "side by side", "upgraded", "back", "refused", "restarted"]
)
def test_everything_is_answered(story: Story, stage: str) -> None:
    assert story.worst[stage] == 200


def test_an_upgrade_over_a_change_that_the_running_program_cannot_bear_is_refused(
    story: Story,
) -> None:
    [complaint] = [line for line in story.refused_upgrade if not line.startswith("{")]
    assert complaint == (
        f"Error: the version {TODAY + 2:04}_later of the schema changes what the program needs "
        "that still runs: stop the service, then start it"
    )


def test_a_program_does_not_start_after_a_change_that_it_cannot_bear(story: Story) -> None:
    [complaint] = story.refused_start
    assert complaint == (
        "Error: the database was migrated by a later version of the forum, and this one cannot go "
        "on with it: install that one"
    )
