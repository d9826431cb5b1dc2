"""The log of a whole service, gunicorn's own lines included."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import FORUM_SERVE, OWN_GUNICORN, PASSWORD, run, running


def await_line(log: Path, words: str) -> None:
    deadline = time.monotonic() + 10
    while words not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module", params=[FORUM_SERVE, OWN_GUNICORN], ids=["serve", "gunicorn"])
def lines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """What is logged from the start of a service to its end, with a renewal of its workers."""
    folder = tmp_path_factory.mktemp("logs")
    with running(folder, command=request.param, LOG_FORMAT="json", ACCESS_LOG="on") as server:
        server.sign_up()
        server.call("POST", "/login", {"username": "alice#1", "password": PASSWORD + "x"})
        server.call("GET", "/healthz")
        server.process.send_signal(signal.SIGHUP)
        await_line(folder / "server.log", "Handling signal: hup")
        server.stop()
    return [json.loads(line) for line in (folder / "server.log").read_text().splitlines()]


def test_every_line_is_of_one_format(lines: list[dict[str, Any]]) -> None:
    assert {tuple(line)[:4] for line in lines} == {("timestamp", "level", "logger", "event")}
    assert {line["timestamp"][-1] for line in lines} == {"Z"}


def test_gunicorns_lines_are_there_from_the_first_to_the_last(lines: list[dict[str, Any]]) -> None:
    events = [line["event"] for line in lines if line["logger"] == "gunicorn.error"]
    assert events[0].startswith("Starting gunicorn")
    assert "Handling signal: hup" in events
    assert "Shutting down: Master" in events[-2:]


def test_a_security_event_and_its_request_share_an_id(lines: list[dict[str, Any]]) -> None:
    [failure] = [line for line in lines if line["event"] == "login failed"]
    [request] = [line for line in lines if line.get("status") == 401]
    assert failure["request_id"] == request["request_id"]


def test_health_checks_leave_no_line(lines: list[dict[str, Any]]) -> None:
    routes = [line["route"] for line in lines if line["logger"] == "forum.access"]
    assert "/healthz" not in routes
    assert routes.count("/login") == 2


def test_a_level_silences_what_is_less_serious(tmp_path: Path) -> None:
    with running(tmp_path, LOG_LEVEL="error") as server:
        server.sign_up()
        server.stop()
    assert (tmp_path / "server.log").read_text() == ""


def test_what_people_read_at_the_start_is_not_in_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.stop()
    assert "Try:" not in (tmp_path / "server.log").read_text()


def test_help_needs_no_good_settings(tmp_path: Path) -> None:
    assert run(tmp_path, "user", "--help", LOG_LEVEL="nonsense").returncode == 0
