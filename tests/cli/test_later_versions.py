"""Commands on a database that a later version of the forum has migrated, and before that."""

from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.conftest import Program
from tests.support.versions import TODAY, version

LATER = f"{TODAY + 1:04}_later"
HARMLESS, BREAKING = version(TODAY), version(TODAY + 1)


@pytest.fixture
def before(program: Program) -> None:
    """This is the program before a version with which it can go on, and which is applied."""
    program(HARMLESS)
    assert run("migrate").exit_code == 0
    program()


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("command", [["user", "list"], ["audit"], ["migrate"], ["backup", "b.db"]])
def test_operators_go_on(command: list[str]) -> None:
    assert run(*command).exit_code == 0


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("sqlite:///data/forum.db", "sqlite:///new.db"),
        ("sqlite:///new.db", "sqlite:///data/forum.db"),
    ],
)
def test_what_may_be_unknown_is_not_left_behind_by_a_copy(source: str, target: str) -> None:
    if target.endswith("data/forum.db"):
        run("migrate", DATABASE_URL=source)
    result = run("copy", source, target)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "a later version of the forum" in result.stderr


@pytest.mark.usefixtures("before")
def test_a_backup_is_left_to_the_version_that_knows_it(folder: Path) -> None:
    run("backup", "backup.db")
    result = run("restore", "backup.db", DATABASE_URL="sqlite:///restored.db")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "a later version of the forum" in result.stderr
    assert not (folder / "restored.db").exists()


def test_a_backup_comes_up_to_a_later_version(program: Program) -> None:
    program()
    run("migrate")
    run("backup", "backup.db")
    program(BREAKING)
    restored = {"DATABASE_URL": "sqlite:///restored.db"}
    assert run("restore", "backup.db", **restored).exit_code == 0
    assert run("migrate", "--status", **restored).exit_code == 0


@pytest.mark.usefixtures("before")
def test_the_status_has_the_later_versions() -> None:
    result = run("migrate", "--status")
    [line] = [line for line in result.stdout.splitlines() if line.startswith(LATER)]
    assert line.endswith(" by a later version of the forum")
    assert result.exit_code == 0


@pytest.mark.usefixtures("before")
def test_a_later_version_cannot_be_asked_for() -> None:
    result = run("migrate", str(TODAY + 1))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("command", [["migrate", "--status"], ["migrate"]])
@pytest.mark.parametrize(("text", "is_said"), [(HARMLESS, False), (BREAKING, True)])
def test_it_is_said_that_a_service_must_be_stopped(
    program: Program, command: list[str], text: str, is_said: bool
) -> None:
    program()
    run("migrate")
    program(text)
    sentence = f"Stop the service, if it runs: it cannot go on with {LATER}\n"
    assert run(*command).stderr == (sentence if is_said else "")


def test_a_first_start_stops_nobody(program: Program) -> None:
    program(BREAKING)
    assert run("migrate").stderr == ""
