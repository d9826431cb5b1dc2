"""What every suite shares: the stores that each of them runs on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from forum.adapters.passwords import Argon2Passwords
from forum.config import Settings
from forum.http.guard import Application
from forum.main import build, prepare

SECRET = "a secret of at least thirty-two bytes, known to the tests"

CHEAP_HASHER = Argon2Passwords(memory_cost=8, time_cost=1)


@pytest.fixture(params=["memory", "sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store of each kind."""
    return {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/forum.db"}[request.param]


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The defaults of production on that store."""
    for name in Settings.from_environment().shown():
        monkeypatch.delenv(name, raising=False)
    return replace(Settings.from_environment(), database_url=database_url, secret_key=SECRET)


@pytest.fixture
def application(settings: Settings) -> Application:
    """The service as gunicorn gets it, but for the price of a hash."""
    prepare(settings)
    return build(settings, CHEAP_HASHER)
