import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOT = Path(__file__).resolve().parent.parent

DOMAIN = sorted(
    ".".join(each.relative_to(ROOT).with_suffix("").parts)
    for each in (ROOT / "forum/domain").rglob("[a-z]*.py")
)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its rules, to be broken."""
    shutil.copytree(ROOT / "forum", tmp_path / "forum")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_module_imports_only_what_its_room_may() -> None:
    checked = lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("domain/users.py", "import orjson"),
        ("domain/users.py", "import forum.config"),
        ("domain/users.py", "import forum.adapters.memory"),
        ("http/resources/users.py", "import forum.adapters.memory"),
        ("http/resources/users.py", "import peewee"),
        ("http/app.py", "import forum.main"),
        ("adapters/memory/users.py", "import forum.http.errors"),
        ("adapters/memory/users.py", "import falcon"),
        ("adapters/memory/users.py", "import forum.main"),
        ("config.py", "import forum.main"),
    ],
)
def test_an_import_across_the_walls_is_noticed(copy: Path, module: str, line: str) -> None:
    path = copy / "forum" / module
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert "BROKEN" in lint_imports(copy).stdout


def test_a_new_room_must_be_put_on_the_map(copy: Path) -> None:
    (copy / "forum/attic.py").touch()
    assert lint_imports(copy).returncode != 0


def test_the_domain_loads_nothing_but_itself_and_the_standard_library() -> None:
    program = f"import sys, {', '.join(DOMAIN)}; print(*sys.modules)"
    environment = {"PYTHONPATH": str(ROOT)}
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert foreign <= {"forum", "__main__"}


def test_the_domain_is_not_empty() -> None:
    assert {"forum.domain.users", "forum.domain.articles", "forum.domain.sessions"} <= set(DOMAIN)


def test_every_test_that_security_md_names_is_there() -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", (ROOT / "SECURITY.md").read_text())
    missing = [
        (path, name) for path, name in named if f"def {name}(" not in (TESTS / path).read_text()
    ]
    assert (len(named) > 30, missing) == (True, [])
