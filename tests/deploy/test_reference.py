"""The lines of docs/operations.md about single tasks, run as they are printed."""

import itertools
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from forum.adapters.secret_file import make_secret
from tests.cli.conftest import run
from tests.cli.test_moving import OLD_ARTICLES, OLD_USERS, write_old
from tests.deploy.test_machine import SECTIONS
from tests.support.clusters import Cluster, find_binaries
from tests.support.operations import sections
from tests.support.servers import running

STORIES = [
    ["Run", "PostgreSQL", "Failover"],
    ["Import", "Migrate to PostgreSQL", "Back up", "Restore"],
]
"""Sections whose lines follow each other."""


class Desk:
    """A folder in which an operator types, beside a PostgreSQL server."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self._folder = folder
        self._settings: dict[str, str] = {}
        self._server = f"127.0.0.1:{cluster.port}"

    def type(self, line: str) -> None:
        """Run the line, which must succeed. A server that it starts must answer, and is stopped."""
        line = re.sub(r"\b[ab]:5432\b", self._server, line)
        found = re.fullmatch(r"((?:FORUM_\w+=\S+ )*)(?:\.venv/bin/)?forum (.+)", line)
        if found:
            own = dict(each.split("=", 1) for each in found[1].split())
            self._run_forum(shlex.split(found[2], comments=True), self._settings | own)
        elif line.startswith("export "):
            self._export(line)
        else:
            self._run_shell(line)

    def _run_forum(self, words: list[str], variables: dict[str, str]) -> None:
        settings = {name.removeprefix("FORUM_"): value for name, value in variables.items()}
        if words == ["serve"]:
            with running(self._folder, WORKERS="1", **settings) as server:
                assert server.call("GET", "/readyz")[0] == 200
            return
        done = run(*words, **settings)
        assert done.exit_code == 0, (words, done.output)

    def _export(self, line: str) -> None:
        name = line.removeprefix("export ").partition("=")[0]
        self._settings[name] = self._run_shell(f'{line}\nprintf %s "${name}"')

    def _run_shell(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line], cwd=self._folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stderr)
        return done.stdout


@pytest.fixture
def desk(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, _no_settings: None
) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(cluster.port))
    monkeypatch.setenv("PGUSER", "forum")
    monkeypatch.setenv("PATH", f"{find_binaries()}:{os.environ['PATH']}")
    write_old(tmp_path / "old.sqlite", OLD_USERS, OLD_ARTICLES)
    desk = Desk(tmp_path, cluster)
    yield desk
    desk.type("dropdb --if-exists forum2 && dropdb forum")


@pytest.mark.parametrize("story", STORIES, ids=" ".join)
def test_the_lines_work_as_printed(desk: Desk, tmp_path: Path, story: list[str]) -> None:
    for task in story:
        if task == "Migrate to PostgreSQL":  # The service has run before.
            make_secret(tmp_path / "data/secret.key")
        for line in sections()[task]:
            desk.type(line)


def test_every_line_of_the_document_is_run_by_a_test() -> None:
    followed = {*SECTIONS, *itertools.chain(*STORIES)}
    followed.add("Upgrades")  # by tests/server/test_upgrade.py
    assert sections().keys() - followed == {"Containers"}
