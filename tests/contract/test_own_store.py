"""A store of one's own is held to the same promises, and served."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from forum.config import Settings
from forum.main import build
from forum.storage import Store as ServedStore
from tests.conftest import CHEAP_HASHER, SECRET
from tests.contract.conftest import Store
from tests.contract.test_articles import *  # noqa: F403
from tests.contract.test_audit import *  # noqa: F403
from tests.contract.test_rate_counters import *  # noqa: F403
from tests.contract.test_sessions import *  # noqa: F403
from tests.contract.test_users import *  # noqa: F403
from tests.http.conftest import Client
from tests.support.toy_store import toy_repositories


@pytest.fixture
def store(tmp_path: Path) -> Store:
    absent: Any = None
    return Store(toy_repositories(tmp_path / "store.pickle"), bulk=absent)


def test_a_store_of_ones_own_is_served_and_keeps_its_data(tmp_path: Path) -> None:
    settings = replace(Settings.from_environment().on("memory://"), secret_key=SECRET)
    for number in (1, 2):
        store = ServedStore(toy_repositories(tmp_path / "store.pickle"))
        with Client(build(settings, store, hasher=CHEAP_HASHER)) as client:
            client.write(client.sign_up(f"user#{number}"))
            assert len(client.get("/articles").json["articles"]) == number
