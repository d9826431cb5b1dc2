"""Odd bytes on the command line and in the environment."""

from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import run
from tests.support.servers import run as run_process

ODD = {
    "not UTF-8": "\udcff",
    "half a character": "caf\udcc3",
    "newline": "a\nb",
    "escape codes": "\x1b[31mred\x1b]0;title\x07",
    "delete": "\x7f",
    "C1": "\x9b31m",
    "separator": "\u2028",
    "right to left": "\u202egpj",
    "empty": "",
}

odd_words = pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
"""What nobody means to type."""

SETTINGS = {
    "SECRET_KEY": "x" * 40,
    "OLD_SECRET_KEYS": "x" * 40,
    "DATABASE_URL": "sqlite:///",
    "BIND": "127.0.0.1:",
    "PAGE_SIZE": "1",
    "STORE_TIMEOUT": "1",
    "CORS_ORIGINS": "https://",
    "TRUSTED_PROXIES": "192.0.2.1",
    "THROTTLE": "on",
}


@pytest.fixture
def migrated(folder: Path) -> Path:
    """Where a database is."""
    run("migrate")
    return folder


def assert_one_line(result: Result) -> None:
    """The command ended with 1 or 2 and a line that no terminal obeys; click shows the usage before
    it.
    """
    *usage, line = result.stderr.splitlines()
    assert result.exit_code in {1, 2}, result
    assert (line[:7], line.isprintable(), result.stdout) == ("Error: ", True, ""), result
    assert [each for each in usage if each and not each.startswith(("Usage: ", "Try "))] == []


@odd_words
@pytest.mark.parametrize("command", ["show", "disable", "enable", "reset-password", "logout"])
def test_an_odd_username_is_refused_in_one_line(migrated: Path, command: str, odd: str) -> None:
    assert_one_line(run("user", command, odd))


@odd_words
def test_an_odd_username_is_not_deleted_and_gets_no_articles(migrated: Path, odd: str) -> None:
    assert_one_line(run("user", "delete", odd, "--yes"))
    assert_one_line(run("user", "delete", "alice#1", "--yes", "--articles-to", odd))


@odd_words
def test_an_odd_url_is_refused_in_one_line(migrated: Path, odd: str) -> None:
    good, below_a_file = "sqlite:///data/forum.db", f"sqlite:///data/forum.db/x{odd}"
    for url in (odd, below_a_file, f"postgresql://{odd}@127.0.0.1:1/forum"):
        assert_one_line(run("copy", url, "sqlite:///new.db"))
        assert_one_line(run("copy", good, url))


@odd_words
@pytest.mark.parametrize("command", ["restore", "import-flaskapi"])
def test_an_odd_file_that_is_not_there_is_refused_in_one_line(
    migrated: Path, command: str, odd: str
) -> None:
    assert_one_line(run(command, odd))


@odd_words
def test_an_odd_file_that_cannot_be_made_is_refused_in_one_line(migrated: Path, odd: str) -> None:
    assert_one_line(run("backup", f"nowhere/x{odd}"))


@odd_words
@pytest.mark.parametrize(
    "command", [[], ["--"], ["user"], ["secret", "drop"], ["migrate"], ["user", "list"], ["serve"]]
)
def test_an_odd_word_is_refused_in_one_line(migrated: Path, command: list[str], odd: str) -> None:
    assert_one_line(run(*command, odd or "no such word"))
    assert_one_line(run(*command[:1], f"--{odd or 'no-such-option'}"))


@pytest.mark.parametrize("name", ["odd\nname.db", "odd\x1b[31mname.db"])
def test_odd_names_are_printed_without_control_characters(migrated: Path, name: str) -> None:
    outputs = [
        run("backup", name),
        run("restore", name, DATABASE_URL=f"sqlite:///again {name}"),
        run("config", DATABASE_URL=f"sqlite:///again {name}"),
    ]
    assert [each.exit_code for each in outputs] == [0, 0, 0]
    lines = [line for each in outputs for line in each.stdout.split("\n")]
    assert (all(line.isprintable() for line in lines), len(outputs[0].stdout.split("\n"))) == (
        True,
        2,
    )


@pytest.mark.parametrize("command", [["config"], ["serve"], ["user", "list"], ["secret", "list"]])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_not_utf_8_is_refused_in_one_line(
    folder: Path, name: str, command: list[str]
) -> None:
    assert_one_line(run(*command, **{name: f"{SETTINGS[name]}\udcff"}))
    assert list(folder.iterdir()) == []


@odd_words
@pytest.mark.parametrize("name", ["BIND", "PAGE_SIZE", "STORE_TIMEOUT", "THROTTLE", "NONSENSE"])
def test_an_odd_setting_is_refused_in_one_line(name: str, odd: str) -> None:
    assert_one_line(run("serve", **{name: f"{odd}."}))


def test_bytes_of_a_real_command_line_and_environment_end_in_one_line(migrated: Path) -> None:
    results = [
        run_process(migrated, "user", "show", "\udcff"),
        run_process(migrated, "user", "list", DATABASE_URL="sqlite:///\udcff.db"),
        run_process(migrated, "serve", SECRET_KEY="\udcff" * 40),
    ]
    assert [each.stderr for each in results] == [
        "Error: USERNAME is not UTF-8\n",
        "Error: FORUM_DATABASE_URL is not UTF-8\n",
        "Error: FORUM_SECRET_KEY is not UTF-8\n",
    ]
