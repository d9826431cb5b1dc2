"""The lines of forum-backup.service, run in their order."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forum.adapters.secret_file import load_secrets, make_secret
from tests.conftest import CHEAP_HASHER
from tests.support.odd_rows import spoil
from tests.support.servers import environment, run
from tests.support.units import Unit

UNIT = (Path(__file__).resolve().parents[2] / "deploy/forum-backup.service").read_text()
DAY = 24 * 3600


@pytest.fixture
def place(tmp_path: Path, empty_file: Path) -> Path:
    """A folder with a forum."""
    return lay_out(tmp_path, empty_file)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, empty_file: Path) -> Path:
    """A folder with a forum of which a copy was made."""
    place = lay_out(tmp_path_factory.mktemp("saved"), empty_file)
    assert save(place).returncode == 0
    return place


def lay_out(place: Path, empty_file: Path) -> Path:
    """Make a forum with a user, and a folder with a copy of nearly two weeks and an older one."""
    shutil.copy(empty_file, place / "forum.db")
    make_secret(place / "secret.key")
    row = f"1, 'alice#1', '{CHEAP_HASHER.hash('Password#1')}', '2020-02-02T00:17:49.735642', 0"
    spoil(f"sqlite:///{place}/forum.db", f"INSERT INTO users VALUES ({row})")
    (place / "copies").mkdir()
    for name, days in {"forum-older.db": 14.1, "forum-old.db": 13.9}.items():
        (place / "copies" / name).touch()
        os.utime(place / "copies" / name, (time.time() - days * DAY,) * 2)
    return place


def save(place: Path) -> subprocess.CompletedProcess[str]:
    """Run the service on that forum."""
    variables = environment(DATABASE_URL=f"sqlite:///{place}/forum.db")
    kept = [f"{name}={variables[name]}" for name in ("PYTHONPATH", "FORUM_DATABASE_URL")]
    (place / "forum.env").write_text("\n".join(kept))
    text = UNIT.replace("/opt/forum/bin/forum", f"{sys.executable} -m forum")
    (place / "unit").write_text(text.replace("/etc/forum.env", f"{place}/forum.env"))
    return Unit(place / "unit").run_once(place / "copies")


def test_a_copy_brings_back_database_and_secret(saved: Path, tmp_path: Path) -> None:
    [copy] = saved.glob("copies/forum-2*.db")
    url = "sqlite:///new/forum.db"
    restored = run(tmp_path, "restore", str(copy), DATABASE_URL=url)
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "alice#1" in run(tmp_path, "user", "list", DATABASE_URL=url).stdout
    assert load_secrets(tmp_path / "new/secret.key") == load_secrets(saved / "secret.key")


def test_copies_of_two_weeks_and_nothing_else_are_kept(saved: Path) -> None:
    names = sorted(each.name for each in (saved / "copies").iterdir())
    assert (len(names), names[1]) == (2, "forum-old.db")


def test_a_copy_that_cannot_be_restored_takes_the_place_of_none(place: Path) -> None:
    before = sorted((place / "copies").iterdir())
    spoil(f"sqlite:///{place}/forum.db", "UPDATE users SET date_registered = 'yesterday'")
    failed = save(place)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert sorted((place / "copies").iterdir()) == before
