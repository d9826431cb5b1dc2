"""How settings are read, and what is said about bad ones."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from forum.config import Settings
from forum.environment import BadSetting
from tests.support.servers import run
from tests.support.stores import open_database

SECRET = "a secret of at least thirty-two bytes"


Refused = Callable[..., str]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Refused:
    """What is said about these settings."""

    def say(**settings: str) -> str:
        for name, value in settings.items():
            monkeypatch.setenv(f"FORUM_{name}", value)
        with pytest.raises(BadSetting) as refusal:
            Settings.from_environment()
        return str(refusal.value)

    return say


@pytest.mark.parametrize("ending", ["", "\n", " \n"])
def test_a_secret_may_stand_in_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    (folder / "secret").write_text(SECRET + ending)
    monkeypatch.setenv("FORUM_SECRET_KEY_FILE", "secret")
    assert Settings.from_environment().secret_key == SECRET


def test_old_secrets_may_stand_in_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "secrets").write_text(f"{SECRET}1, {SECRET}2\n")
    monkeypatch.setenv("FORUM_OLD_SECRET_KEYS_FILE", "secrets")
    assert Settings.from_environment().old_secret_keys == (f"{SECRET}1", f"{SECRET}2")


def test_the_url_of_the_database_may_stand_in_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "url").write_text("memory://\n")
    monkeypatch.setenv("FORUM_DATABASE_URL_FILE", "url")
    assert str(Settings.from_environment().database_url) == "memory://"


def test_a_setting_and_its_file_exclude_each_other(folder: Path, refused: Refused) -> None:
    (folder / "secret").write_text(SECRET)
    said = refused(SECRET_KEY=SECRET, SECRET_KEY_FILE="secret")
    assert said == "set FORUM_SECRET_KEY or FORUM_SECRET_KEY_FILE, not both"


@pytest.mark.parametrize("file", ["nowhere", ".", "", "secret/x", "latin", "long" * 99])
def test_a_file_that_cannot_be_read_is_refused(folder: Path, refused: Refused, file: str) -> None:
    (folder / "secret").write_text(SECRET)
    (folder / "latin").write_bytes(b"\xe9" * 40)
    said = refused(SECRET_KEY_FILE=file)
    assert said == "FORUM_SECRET_KEY_FILE must name a readable file of text"


def test_what_is_in_the_file_is_judged_too(folder: Path, refused: Refused) -> None:
    (folder / "secret").write_text("short")
    assert refused(SECRET_KEY_FILE="secret").startswith("FORUM_SECRET_KEY: it needs at least 32")


def test_other_settings_have_no_file(folder: Path, refused: Refused) -> None:
    assert "FORUM_WORKERS_FILE is no setting" in refused(WORKERS_FILE="workers")


@pytest.mark.parametrize(
    "value", ["10.0.0.1,10.0.0.2", "10.0.0.1, 10.0.0.2", " 10.0.0.1 ,10.0.0.2 "]
)
def test_spaces_around_commas_do_not_count(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FORUM_TRUSTED_PROXIES", value)
    assert Settings.from_environment().trusted_proxies == ("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("WORKER", "did you mean FORUM_WORKERS?"),
        ("DATABASEURL", "did you mean FORUM_DATABASE_URL?"),
        ("SECRET_KEY_FIEL", "did you mean FORUM_SECRET_KEY_FILE?"),
        ("PORT_NUMBER_OF_MINE", "forum config prints all that there are"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(
    refused: Refused, name: str, nearest: str
) -> None:
    assert refused(**{name: "1"}) == f"FORUM_{name} is no setting; {nearest}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "tcp://10.0.0.7:8000"),
        ("PORT_8000_TCP", "tcp://10.0.0.7:8000"),
        ("PORT_8000_TCP_ADDR", "10.0.0.7"),
        ("PORT_8000_TCP_PORT", "8000"),
        ("PORT_8000_TCP_PROTO", "tcp"),
        ("SERVICE_HOST", "10.0.0.7"),
        ("SERVICE_PORT", "8000"),
        ("SERVICE_PORT_HTTP", "8000"),
        ("API_SERVICE_HOST", "10.0.0.7"),
        ("API_SERVICE_PORT", "8000"),
        ("API_V2_PORT_8000_UDP_PROTO", "udp"),
    ],
)
def test_what_an_orchestrator_sets_is_let_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    expected = Settings.from_environment()
    monkeypatch.setenv(f"FORUM_{name}", value)
    assert Settings.from_environment() == expected


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("WORKERS", "x", "FORUM_WORKERS: it is no valid integer"),
        ("WORKERS", "0", "FORUM_WORKERS: it must be from 1 to 256"),
        ("THROTTLE", "perhaps", "FORUM_THROTTLE: it is no valid boolean"),
        ("BIND", "x", "FORUM_BIND: it must be like 127.0.0.1:8000, [::1]:8000 or unix:/path"),
        (
            "SOCKET_MODE",
            "066",
            "FORUM_SOCKET_MODE: it must be like 660, where the owner may read and write",
        ),
    ],
)
def test_a_bad_value_is_refused_in_a_plain_sentence(
    refused: Refused, name: str, value: str, sentence: str
) -> None:
    assert refused(**{name: value}) == sentence


def test_an_empty_url_is_refused_wherever_settings_are_read(folder: Path) -> None:
    result = run(folder, "config", DATABASE_URL="")
    assert (result.returncode, result.stdout) == (1, "")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["migrate"], "a store in memory ends with its process"),
        (["backup", "x.db"], "a store in memory ends with its process"),
        (["user", "list"], "a store in memory ends with its process"),
        (["secret", "rotate"], "makes a secret for itself, which ends with its process"),
    ],
)
def test_a_store_in_memory_is_refused_for_the_true_reason(
    folder: Path, command: list[str], reason: str
) -> None:
    result = run(folder, *command, DATABASE_URL="memory://")
    assert (result.returncode, reason in result.stderr) == (1, True)


def test_without_the_driver_no_package_of_others_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BadSetting) as refusal:
        open_database("postgresql:///forum", 1)
    assert "docs/operations.md" in str(refusal.value)
    assert "pip" not in str(refusal.value)
