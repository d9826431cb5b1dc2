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


CALLS = {
    "users.profile, '1'": True,
    "articles.latest, page=None": True,
    "users.profile": False,
    "users.profile, 1": False,
    "users.profile, '1', '2'": False,
    "users.profile, id='1'": False,
    "articles.latest, None": False,
    "articles.latest": False,
}
"""Calls of use cases, and whether the type checker may accept them."""


def test_the_type_checker_refuses_a_wrong_or_missing_argument_of_a_use_case(tmp_path: Path) -> None:
    lines = [
        "from forum.domain.articles import ArticleService",
        "from forum.domain.users import UserService",
        "from forum.http.dispatch import Dispatch",
        "async def call(dispatch: Dispatch, users: UserService, articles: ArticleService) -> None:",
        *(f"    await dispatch({call})" for call in CALLS),
    ]
    program = tmp_path / "program.py"
    program.write_text("\n".join(lines))
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    refused = {int(number) for number in re.findall(r"program\.py:(\d+): error", checked)}
    first = lines.index(f"    await dispatch({next(iter(CALLS))})") + 1
    assert refused == {first + n for n, accepted in enumerate(CALLS.values()) if not accepted}


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
