"""What the suites of the command line share."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forum.adapters.sql import sqlite_files
from forum.cli import main
from forum.config import Settings
from forum.main import build
from forum.storage import open_store, prepare
from tests.conftest import CHEAP_HASHER, SECRET
from tests.http.conftest import Client, alice, bob  # noqa: F401  # fixtures

NewUrl = Callable[[str], str]
"""Makes the URL of a store of a kind, "sqlite" or "postgres", that is not there yet, or empty."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, _no_settings: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run, without settings from elsewhere."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def new_url(request: pytest.FixtureRequest, folder: Path) -> NewUrl:
    numbers = count()

    def make(kind: str) -> str:
        if kind == "postgres":
            new_postgres: Callable[[], str] = request.getfixturevalue("new_postgres")
            return new_postgres()
        return f"sqlite:///{folder}/new{next(numbers)}.db"

    return make


def run(*arguments: str, **settings: str) -> Result:
    """What a command says in this process."""
    return invoke(arguments, {f"FORUM_{name}": value for name, value in settings.items()})


def invoke(arguments: Sequence[str], environment: dict[str, str], answer: str = "") -> Result:
    """Likewise, with an answer to what it asks."""
    sqlite_files._opened.clear()  # A process of its own would know of no file.
    return CliRunner().invoke(main, arguments, answer, env=environment)


Forum = Callable[..., Result]
"""Runs `forum user`, with an answer to what it asks."""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, new_url: NewUrl) -> str:
    return new_url(request.param)


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """The service, which goes on while its operator works."""
    settings = replace(Settings.from_environment().on(url), secret_key=SECRET)
    prepare(settings)
    with Client(build(settings, open_store(settings), hasher=CHEAP_HASHER)) as client:
        yield client


@pytest.fixture
def user(url: str) -> Forum:
    def run(*arguments: str, answer: str = "") -> Result:
        return invoke(["user", *arguments], {"FORUM_DATABASE_URL": url}, answer)

    return run
