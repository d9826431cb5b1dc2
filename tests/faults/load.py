"""Writers and readers that remember what they were told, and what a fault must not do to it."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Lock, Thread
from typing import Any

from tests.servers import PASSWORD

WAIT = 0.01
"""Seconds between a failed attempt and the next one."""


LIMITLESS = {
    name: str(10**9)
    for name in ("POSTS_MINUTE", "LOGIN_FAILURES", "LOGIN_FAILURES_ADDRESS", "LOGIN_FAILURES_ALL")
}
"""Settings of a server that counts everything and refuses nothing."""


@dataclass
class Load:
    """Writers with unique titles, readers, and somebody who logs in, against one server."""

    port: int
    token: str
    attempted: set[str] = field(default_factory=set)
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Titles and ids of the writes that were answered with 200."""
    statuses: Counter[int] = field(default_factory=Counter)
    impolite: int = 0
    """Answers of 503 without a `Retry-After`."""
    last_success: float = 0.0

    def __post_init__(self) -> None:
        self._stop = Event()
        self._lock = Lock()
        self._numbers = count()

    @contextmanager
    def running(self, writers: int = 6, readers: int = 2) -> Iterator[None]:
        """Writes and reads, until the end of the block."""
        threads = [Thread(target=self._write) for _ in range(writers)]
        threads += [Thread(target=self._read) for _ in range(readers)]
        threads.append(Thread(target=self._log_in))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def await_writes(self, number: int, seconds: float = 60) -> None:
        """Wait until as many writes are acknowledged."""
        deadline = time.monotonic() + seconds
        while len(self.acknowledged) < number:
            assert time.monotonic() < deadline, self.statuses
            time.sleep(WAIT)

    def seconds_to_next_write(self, limit: float = 30) -> float:
        """How long it takes from now until another write is acknowledged."""
        begin, known = time.monotonic(), len(self.acknowledged)
        self.await_writes(known + 1, limit)
        return self.last_success - begin

    def problems(self, present: list[tuple[int, str]]) -> dict[str, int]:
        """What went wrong, as numbers that must be 0, where these ids and titles survived."""
        ids = {title: id for id, title in present}
        return {
            "lost": len(self.acknowledged.keys() - ids.keys()),
            "unexpected": len(ids.keys() - self.attempted),
            "duplicates": len(present) - len(ids),
            "wrong id": sum(ids.get(title, id) != id for title, id in self.acknowledged.items()),
            "unexpected answers": sum(
                number for status, number in self.statuses.items() if status not in (200, 503)
            ),
            "503 without Retry-After": self.impolite,
        }

    def _write(self) -> None:
        with closing(self._connect()) as connection:
            while not self._stop.is_set():
                title = f"article {next(self._numbers)}"
                self.attempted.add(title)
                body = {"title": title, "text": "A text", "access-token": self.token}
                article = self._call(connection, "POST", "/articles/new", body)
                if article:
                    with self._lock:
                        self.acknowledged[title] = article["id"]
                        self.last_success = time.monotonic()

    def _read(self) -> None:
        with closing(self._connect()) as connection:
            while not self._stop.is_set():
                self._call(connection, "GET", "/articles", None)

    def _log_in(self) -> None:
        with closing(self._connect()) as connection:
            while not self._stop.is_set():
                body = {"username": "alice#1", "password": PASSWORD}
                self._call(connection, "POST", "/login", body)

    def _call(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: object
    ) -> dict[str, Any] | None:
        try:
            raw = None if body is None else json.dumps(body)
            connection.request(method, path, raw, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()  # the next request opens it again
            time.sleep(WAIT)
            return None
        with self._lock:
            self.statuses[response.status] += 1
            self.impolite += response.status == 503 and not response.getheader("Retry-After")
        if response.status != 200:
            time.sleep(WAIT)
            return None
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
