from pathlib import Path

import pytest
from click.testing import CliRunner

from forum.cli import main
from forum.config import Settings
from tests.cli.conftest import run
from tests.support.servers import run as run_process

OPERATIONS = (Path(__file__).resolve().parents[2] / "docs/operations.md").read_text()

COMMANDS = [
    ["serve"], ["migrate"], ["config"], ["backup"], ["restore"], ["copy"], ["import-flaskapi"],
    ["user"], ["user", "list"], ["user", "show"], ["user", "disable"], ["user", "enable"],
    ["user", "reset-password"], ["user", "logout"], ["user", "delete"],
    ["audit"], ["openapi"], ["demo"],
    ["secret"], ["secret", "list"], ["secret", "rotate"], ["secret", "drop"],
]  # fmt: skip


@pytest.mark.parametrize("command", [[], *COMMANDS], ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(command: list[str], option: str) -> None:
    result = CliRunner().invoke(main, [*command, option])
    assert (result.exit_code, result.stdout[:6]) == (0, "Usage:")


def test_the_help_says_how_to_turn_on_completion() -> None:
    assert 'eval "$(_FORUM_COMPLETE=bash_source forum)"' in run("--help").stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["migrate", "x"], ["copy", "a"], ["--x"]])
def test_a_mistake_on_the_command_line_ends_with_two(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "x" * 31),
        ("SECRET_KEY", ""),
        ("OLD_SECRET_KEYS", "short"),
        ("PAGE_SIZE", "0"),
        ("PAGE_SIZE", "ten"),
        ("PAGE_SIZE", ""),
        ("WORKERS", "-1"),
        ("TOKEN_LIFETIME", "0"),
        ("BODY_LIMIT", "1e6"),
        ("HASH_MEMORY", "1024"),
        ("CORS_ORIGINS", "forum.example"),
        ("TRUSTED_PROXIES", "proxy"),
        ("THROTTLE", "perhaps"),
        ("DATABASE_URL", "mysql://localhost/forum"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        *(("BIND", bad) for bad in ["", "8000", ":8000", "localhost", "127.0.0.1:x", "unix:"]),
        *(("BIND", f"127.0.0.1:{port}") for port in ["0", "99999", "-1", "9" * 5000]),
        ("PAGESIZE", "10"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(name: str, value: str) -> None:
    result = run("config", **{name: value})
    *complaints, empty = result.stderr.split("\n")
    assert (result.exit_code, len(complaints), empty) == (1, 1, "")
    assert complaints[0].startswith("Error: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAGE_SIZE", "0"),
        ("DATABASE_URL", "sqlite:////proc/nowhere/forum.db"),
        ("DATABASE_URL", "postgresql://localhost:1/forum"),
        ("DATABASE_URL", "postgresql://localhost/forum?nonsense=1"),
        ("BIND", "192.0.2.1:8000"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    tmp_path: Path, name: str, value: str
) -> None:
    result = run_process(tmp_path, "serve", **{name: value})
    complaints = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert (result.returncode, len(complaints)) == (1, 1)
    assert complaints[0].startswith("Error: ")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://forum:canary@localhost/forum",
        "postgresql://forum:canary%40canary@a:5432,b:5432/forum?target_session_attrs=read-write",
        "postgresql://forum:canary@canary/canary:canary@localhost/forum",
        "postgresql://localhost/forum?user=forum&password=canary&sslpassword=canary",
    ],
)
def test_the_settings_are_shown_without_their_secrets(url: str) -> None:
    result = run("config", SECRET_KEY="canary " * 9, DATABASE_URL=url)
    assert (result.exit_code, "canary" in result.stdout) == (0, False)


@pytest.fixture(params=[b"", b"short\n", b"x" * 40 + b"\nshort\n", b"\xff" * 99, None])
def damage(request: pytest.FixtureRequest, tmp_path: Path) -> bytes | None:
    """What stands where the secret of a database should; None is a folder."""
    content: bytes | None = request.param
    run("migrate")
    path = tmp_path / "data/secret.key"
    path.mkdir() if content is None else path.write_bytes(content)
    return content


@pytest.mark.parametrize("command", ["list", "rotate"])
def test_a_damaged_secret_is_refused_in_one_line_and_left_alone(
    tmp_path: Path, damage: bytes | None, command: str
) -> None:
    result = run("secret", command)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: the secret cannot be used: ")
    assert damage is None or (tmp_path / "data/secret.key").read_bytes() == damage


def test_a_damaged_secret_is_not_served(tmp_path: Path, damage: bytes | None) -> None:
    result = run_process(tmp_path, "serve")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: the secret cannot be used: ")
    assert damage is None or (tmp_path / "data/secret.key").read_bytes() == damage


def test_the_documents_list_every_setting_and_no_other() -> None:
    rows = [line for line in OPERATIONS.splitlines() if line.startswith("| `FORUM_")]
    assert {row.split("`")[1] for row in rows} == set(Settings.from_environment().shown())


def test_the_default_of_every_setting_stands_in_the_documents() -> None:
    shown = Settings.from_environment().shown()
    rows = {
        line.split("`")[1]: line for line in OPERATIONS.splitlines() if line.startswith("| `FORUM_")
    }
    differing = [
        name
        for name, value in shown.items()
        if value.isdigit() and f"`{value}`" not in rows[name].rpartition("|")[0]
    ]
    assert differing == []


def test_a_database_is_migrated_once() -> None:
    first, second = run("migrate"), run("migrate")
    assert ("applied 0001" in first.stdout, "applied 0001" in second.stdout) == (True, False)


def test_the_status_changes_nothing(tmp_path: Path) -> None:
    assert run("migrate", "--status").exit_code == 1
    assert not (tmp_path / "data").exists()


def test_a_version_that_is_not_there_leaves_no_database_behind(tmp_path: Path) -> None:
    result = run("migrate", "99")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "data").exists()


def test_the_status_ends_with_one_while_a_version_is_missing() -> None:
    run("migrate", "1")
    result = run("migrate", "--status")
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 3)


def test_the_status_ends_with_zero_when_all_versions_are_applied() -> None:
    run("migrate")
    assert run("migrate", "--status").exit_code == 0


def test_the_status_leaves_no_file_beside_the_database(tmp_path: Path) -> None:
    run("migrate", "1")
    run("migrate", "--status")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["forum.db"]


def test_a_database_goes_up_to_a_version_and_on() -> None:
    run("migrate", "1")
    status = run("migrate", "--status").stdout.splitlines()
    assert [line.endswith("not applied") for line in status] == [False, True, True]
    assert status[1] == "0002_sessions  not applied"
    assert "applied 0002" in run("migrate").stdout


@pytest.mark.parametrize("version", ["0", "99", "1"])
def test_a_version_that_cannot_be_reached_is_refused(version: str) -> None:
    run("migrate")
    result = run("migrate", version)
    assert (result.exit_code, result.stderr.splitlines()[-1][:6]) == (1, "Error:")


def test_an_older_schema_is_left_to_forum_migrate() -> None:
    run("migrate", "1")
    assert "forum migrate" in run("user", "list").stderr


@pytest.mark.parametrize("command", ["show", "disable", "enable", "logout", "reset-password"])
def test_an_unknown_user_is_refused(command: str) -> None:
    run("migrate")
    result = run("user", command, "nobody")
    assert (result.exit_code, result.stderr) == (1, "Error: there is no user nobody\n")


def test_nothing_is_asked_of_a_database_that_is_not_there(tmp_path: Path) -> None:
    assert run("user", "list").exit_code == 1
    assert not (tmp_path / "data").exists()
