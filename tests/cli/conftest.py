"""What the suites of the command line share."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

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
