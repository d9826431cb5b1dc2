from dataclasses import replace
from datetime import timedelta

import pytest

from forum.domain.model import AuditEntry
from tests.contract.conftest import DAY, NOW, Store

ENTRY = AuditEntry(NOW, "login", "user 1", 1, "alice#1", "192.0.2.1", "session=7")
LONG_AGO = NOW - 1000 * DAY


def test_an_entry_comes_back_as_it_was(store: Store) -> None:
    store.audit.add(ENTRY, LONG_AGO)
    assert store.audit.latest(None, 10) == [ENTRY]


@pytest.mark.parametrize("text", ["", "x" * 255, "ä😀", "'; --", '"', "\n"])
def test_every_text_of_an_entry_comes_back_as_it_was(store: Store, text: str) -> None:
    entry = replace(ENTRY, actor=text, username=text, address=text, details=text)
    store.audit.add(entry, LONG_AGO)
    assert store.audit.latest(text, 10) == [entry]


def test_the_latest_come_first_and_no_more_than_are_asked_for(store: Store) -> None:
    entries = [replace(ENTRY, details=str(number)) for number in range(5)]
    for entry in entries:
        store.audit.add(entry, LONG_AGO)
    assert store.audit.latest(None, 3) == entries[:1:-1]


def test_the_entries_of_one_name_come_alone(store: Store) -> None:
    other = replace(ENTRY, username="bobby#2")
    for entry in (ENTRY, other, ENTRY):
        store.audit.add(entry, LONG_AGO)
    assert store.audit.latest("bobby#2", 10) == [other]
    assert store.audit.latest("nobody", 10) == []


def test_an_entry_needs_no_user(store: Store) -> None:
    author = store.author()
    store.audit.add(replace(ENTRY, user_id=author.id, username=author.username), LONG_AGO)
    store.users.delete(author.id, None)
    assert len(store.audit.latest(author.username, 10)) == 1


def test_what_is_older_is_forgotten_in_time(store: Store) -> None:
    for number in range(4):
        store.audit.add(replace(ENTRY, moment=NOW - DAY, details=str(number)), LONG_AGO)
    for _ in range(2):
        store.audit.add(ENTRY, NOW - timedelta(hours=1))
    assert store.audit.latest(None, 10) == [ENTRY, ENTRY]


def test_what_is_not_older_stays(store: Store) -> None:
    store.audit.add(ENTRY, LONG_AGO)
    store.audit.add(ENTRY, NOW)
    assert len(store.audit.latest(None, 10)) == 2
