"""What every suite shares: the stores that each of them runs on."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from forum.adapters.passwords import Argon2Passwords
from forum.adapters.sql import migrations
from forum.adapters.sql.migrations import migrate
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.config import Settings
from forum.http.guard import Application
from forum.logs import lines
from forum.main import build
from forum.storage import open_store, prepare
from tests.support.clusters import (
    Cluster,
    empty_cluster,
    empty_database,
    find_binaries,
    server_folder,
)
from tests.support.versions import make_versions

SECRET = "a secret of at least thirty-two bytes, known to the tests"

CHEAP_HASHER = Argon2Passwords(memory_cost=8, time_cost=1)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for servers and for time to pass."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server for the whole run."""
    if not find_binaries() and "CI" not in os.environ:
        pytest.skip("PostgreSQL is not installed")
    with server_folder() as folder, empty_cluster(folder / "server") as cluster:
        yield cluster


@pytest.fixture
def new_postgres(cluster: Cluster) -> Iterator[Callable[[], str]]:
    """Makes empty databases on that server and returns their URLs."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(empty_database(cluster))


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the tables of this version."""
    path = tmp_path_factory.mktemp("empty") / "forum.db"
    with closing(SqliteDatabase(path, busy_timeout=5)) as database:
        database.create()
        migrate(database)
    return path


@pytest.fixture
def postgres_url(new_postgres: Callable[[], str]) -> str:
    """The URL of an empty PostgreSQL database."""
    return new_postgres()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store of each kind."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    if request.param == "memory":
        return "memory://"
    empty: Path = request.getfixturevalue("empty_file")
    shutil.copy(empty, tmp_path / "forum.db")
    return f"sqlite:///{tmp_path}/forum.db"


Program = Callable[..., Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Makes this process one of a program that has further versions of these texts."""
    numbers = count()

    def become(*later: str) -> Path:
        folder = tmp_path / f"program{next(numbers)}"
        make_versions(folder, *later)
        monkeypatch.setattr(migrations, "__file__", str(folder / "__init__.py"))
        return folder

    return become


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Commands that run in this process set up the log of all of it."""
    root = logging.getLogger()
    level, handlers, render = root.level, root.handlers[:], lines.render
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    lines.render = render


@pytest.fixture
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the surroundings do not count."""
    for name in [name for name in os.environ if name.startswith("FORUM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def settings(database_url: str, _no_settings: None) -> Settings:
    """The defaults of production on that store."""
    return replace(Settings.from_environment().on(database_url), secret_key=SECRET)


@pytest.fixture
def application(settings: Settings) -> Application:
    """The service as gunicorn gets it, but for the price of a hash."""
    prepare(settings)
    return build(settings, open_store(settings), hasher=CHEAP_HASHER)
