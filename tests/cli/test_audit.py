"""What operators see of the history of accounts."""

import json
from collections.abc import Callable
from getpass import getuser
from pathlib import Path

import pytest

from tests.cli.conftest import Forum, run
from tests.http.conftest import Client

Entries = Callable[..., list[dict[str, object]]]


@pytest.fixture
def entries(url: str) -> Entries:
    def read(*arguments: str) -> list[dict[str, object]]:
        result = run("audit", "--json", *arguments, DATABASE_URL=url)
        assert result.exit_code == 0, result.stderr
        found: list[dict[str, object]] = json.loads(result.stdout)
        return found

    return read


def test_acts_of_clients_and_operators_stand_in_one_history(
    user: Forum,
    client: Client,
    bob: str,
    entries: Entries,
) -> None:
    user("disable", "alice#1")
    shown = [(each["event"], each["username"], each["actor"]) for each in entries()]
    assert shown == [
        ("registered", "alice#1", "user 1"),
        ("login", "alice#1", "user 1"),
        ("registered", "bobby#2", "user 2"),
        ("login", "bobby#2", "user 2"),
        ("user disabled", "alice#1", f"operator {getuser()}"),
    ]


def test_one_account_is_shown_after_its_end(
    user: Forum,
    bob: str,
    entries: Entries,
) -> None:
    user("delete", "alice#1", "--yes")
    events = [each["event"] for each in entries("alice#1")]
    assert events == ["registered", "login", "user deleted"]


def test_the_latest_alone_can_be_asked_for(bob: str, entries: Entries) -> None:
    assert [each["event"] for each in entries("--limit", "1")] == ["login"]


def test_people_read_a_table(url: str, alice: str) -> None:
    head, first, second = run("audit", DATABASE_URL=url).stdout.splitlines()
    assert head.split() == ["TIME", "EVENT", "USER", "BY", "FROM", "DETAILS"]
    assert first[21:].split() == ["registered", "alice#1", "(1)", "user", "1", "127.0.0.1"]
    assert second.index("127") == first.index("127") == head.index("FROM")


def test_a_copy_has_the_history(url: str, alice: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/copy.db"
    printed = run("copy", url, target).stdout
    assert "1 sessions and 2 audit entries" in printed
    histories = [run("audit", DATABASE_URL=each).stdout for each in (url, target)]
    assert histories[0] == histories[1]
