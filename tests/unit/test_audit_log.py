"""The audit log of a process, when what it tells of is not committed yet."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from forum.adapters.audit_log import ProcessAuditLog
from forum.logs import request_id


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> ProcessAuditLog:
    caplog.set_level(logging.INFO, "forum.security")
    return ProcessAuditLog()


def test_what_is_held_is_written_at_the_end(
    log: ProcessAuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    with log.held() as recording:
        with recording:
            log.record("first")
            log.record("second")
        assert caplog.messages == []
    log.record("third")
    assert caplog.messages == ["first", "second", "third"]


def test_what_was_taken_back_is_not_written(
    log: ProcessAuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        with log.held() as recording, recording:
            log.record("first")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    log.record("second")
    assert caplog.messages == ["second"]


def test_another_thread_may_record_what_is_held(
    log: ProcessAuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    with log.held() as recording:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(record_in, recording, log).result()
        assert caplog.messages == []
    assert caplog.messages == ["there"]


def record_in(recording: AbstractContextManager[object], log: ProcessAuditLog) -> None:
    with recording:
        log.record("there")


def test_each_line_names_the_request_during_which_it_was_recorded(
    log: ProcessAuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []
    monkeypatch.setattr(
        logging.getLogger("forum.security"), "handle", lambda _: seen.append(request_id.get(None))
    )
    logging.getLogger("forum.security").setLevel(logging.INFO)
    with log.held() as recording, recording:
        for name in ("one", "two"):
            request_id.set(name)
            log.record("event")
    assert seen == ["one", "two"]
