"""The wheel, installed where nothing of the checkout is."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from forum import __version__
from tests.support.servers import running

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["forum", "pyproject.toml", "README.md", "LICENSE"]


def pip(*arguments: str) -> None:
    """Run pip; its words are the failure's."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip("wheel", "--no-deps", "--wheel-dir", str(source / "dist"), str(source))
    [wheel] = (source / "dist").iterdir()
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the forum from the wheel and the versions that are tested."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment)
    python = environment / "bin/python"
    versions = str(ROOT / "constraints.txt")
    pip("--python", str(python), "install", "--constraint", versions, f"{wheel}[postgres]")
    return python


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = f"plain_forum-{__version__}.dist-info"
        metadata = archive.read(f"{folder}/METADATA").decode()
        assert "Classifier: Private :: Do Not Upload" in metadata
        assert "forum/py.typed" in archive.namelist()


def test_the_wheel_brings_the_command(python: Path) -> None:
    printed = subprocess.check_output([python.with_name("forum"), "--version"], text=True)
    assert printed == f"forum, version {__version__}\n"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_wheel_serves(
    tmp_path: Path, python: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = "sqlite:///data/forum.db"
    if kind == "postgres":
        url = request.getfixturevalue("new_postgres")()
    settings = {"DATABASE_URL": url, "SECRET_KEY": "x" * 32}
    isolated = ["-I", "-m", "forum", "serve"]  # nothing from the checkout is imported
    with running(tmp_path, command=isolated, python=str(python), **settings) as server:
        token = server.sign_up()
        assert server.call("POST", "/verify-token", {"access-token": token})[0] == 200
