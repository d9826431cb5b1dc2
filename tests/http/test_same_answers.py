"""Every store gives the same answers to the same requests, byte for byte."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import Result

from forum.config import Settings
from forum.main import build
from forum.storage import open_store, prepare
from tests.conftest import CHEAP_HASHER
from tests.http.conftest import PASSWORD, Client

IDS = ["abc", "0", "-1", "+1", "01", "1.0", "1_0", "1e0", "0x1", "%201", "1%20", "%d9%a1", "%00"]
IDS += ["%ff", "%ed%a0%80", str(2**63 - 1), str(2**63), "9" * 23, "<b>x", "1%2Fedit", "'--", "%25s"]
PAGES = ["", "0", "-1", "2", "02", "1.5", "1e3", "1_0", "%d9%a3", "1,2", "%ff", "1%00", "9" * 20]
VALUES: list[Any] = [None, "", 0, False, [], {}, " ", 5, True, [1], {"a": 1}, "a\0b", "x" * 301]
VALUES += ["\U0001f600 é", "'; DROP TABLE users; --", "%s ? $1", "\x7f\x01", "e\u0301"]
NAMES: list[Any] = [None, "", 5, ["alice#1"], {"$ne": 1}, 2**70, "Alice#1", "alice#1\n", "a\0bcde"]
NAMES += ["abcd", "a" * 20, "a" * 21, "１２３４５", "nobody#1", "' OR 1=1"]  # noqa: RUF001


def requests(token: str) -> Iterator[tuple[str, str, Any]]:
    """What is sent, in this order, to each store."""
    for name in NAMES:
        for route in ("/register", "/login"):
            yield "POST", route, {"username": name, "password": PASSWORD}
            yield "POST", route, {"username": "alice#1", "password": name}
    for value in VALUES:
        for field in ("title", "text"):
            body = {"title": "A title", "text": "A text", "access-token": token, field: value}
            yield "POST", "/articles/new", body
            yield "PUT", "/articles/1/edit", body
        yield "POST", "/verify-token", {"access-token": value}
    for id in IDS:
        yield "GET", f"/articles/{id}", None
        yield "GET", f"/users/{id}", None
        yield "GET", f"/users/{id}/articles", None
        yield "PUT", f"/articles/{id}/edit", {"access-token": token}
        yield "DELETE", f"/articles/{id}/delete", {"access-token": token}
        yield "DELETE", f"/sessions/{id}", {"access-token": token}
    for page in PAGES:
        yield "GET", f"/articles?page={page}", None
        yield "GET", f"/users/1/articles?page={page}", None
    yield "GET", "/sessions", {"access-token": token}
    yield "POST", "/logout", {"access-token": token}


@contextmanager
def forum(url: str, settings: Settings) -> Iterator[Client]:
    settings = replace(settings.on(url), throttle=False)
    prepare(settings)
    with Client(build(settings, open_store(settings), hasher=CHEAP_HASHER)) as client:
        yield client


def masked(result: Result) -> bytes:
    """The status, the headers and the body, without what must differ: ids, dates, tokens, and
    what is made of them.
    """
    differing = {"content-length", "x-request-id", "etag", "link"}
    text = re.sub(rb'"(id|user_id)":\d+', rb'"\1":0', result.content)
    text = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", b"DATE", text)
    text = re.sub(rb'"access-token":"[^"]+"', b'"access-token":"TOKEN"', text)
    headers = sorted((k, v) for k, v in result.headers.items() if k not in differing)
    return f"{result.status} {headers} ".encode() + text


@pytest.mark.parametrize("database_url", ["memory"], indirect=True)
def test_all_stores_answer_the_same(
    settings: Settings, new_postgres: Callable[[], str], tmp_path: Path
) -> None:
    urls = ["memory://", f"sqlite:///{tmp_path}/forum.db", new_postgres()]
    with ExitStack() as stack:
        clients = [stack.enter_context(forum(url, settings)) for url in urls]
        tokens = [client.sign_up("alice#1") for client in clients]
        for client, token in zip(clients, tokens, strict=True):
            for number in range(11):
                client.write(token, f"Article {number}")
        scripts = [list(requests(token)) for token in tokens]
        for steps in zip(*scripts, strict=True):
            answers = {
                masked(client.request(method, path, json=body))
                for client, (method, path, body) in zip(clients, steps, strict=True)
            }
            assert len(answers) == 1, (steps[0], answers)
