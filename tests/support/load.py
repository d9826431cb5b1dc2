"""Writers and readers that remember what they were told, and what a fault must not do to it."""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Lock
from typing import Any

from tests.support.client import PATIENCE, Client, Outcome, Reply
from tests.support.servers import PASSWORD

WAIT = 0.01
"""Seconds between a failed attempt and the next one."""

WRITERS, READERS = 6, 2
CLIENTS = WRITERS + READERS + 1

PAGE = 10
"""Entries of a list."""

RECENT = 20
"""The latest acknowledged articles, which a first page must show or have gone past."""

WRITTEN = {"id", "title", "text", "date_posted", "user_id"}
ARTICLE = WRITTEN | {"author.username"}
HEADLINE = ARTICLE - {"text"}

LEAST = {"post": 100, "list": 100, "article": 100, "log in": 5}
"""Documented answers to each kind of request, without which a load has shown nothing."""

LIMITLESS = {
    name: str(10**9)
    for name in ("POSTS_MINUTE", "LOGIN_FAILURES", "LOGIN_FAILURES_ADDRESS", "LOGIN_FAILURES_ALL")
}
"""Settings of a server that counts everything and refuses nothing."""

Article = dict[str, Any]
Place = tuple[str, int]
"""What lists are sorted by: the date and the id of an article."""


@dataclass
class Load:
    """Writers with unique titles, readers, and a client that logs in, against one server at a time.

    Half of them keep their connection alive, the others open a fresh one for each request.
    """

    port: int
    token: str
    attempted: set[str] = field(default_factory=set)
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Titles and ids of the writes that were answered as documented."""
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    """How many requests of each kind ended in each way."""
    examples: list[str] = field(default_factory=list)
    """What came instead of an answer, of the first of each outcome that is wrong anywhere."""
    last_success: float = 0.0
    patience: float = PATIENCE
    """Seconds for which a client waits for anything."""

    def __post_init__(self) -> None:
        self._stop = Event()
        self._lock = Lock()
        self._numbers = count()
        self._articles: list[Article] = []
        self._recent: deque[Place] = deque(maxlen=RECENT)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Writes and reads, until the end of the block."""
        self._stop.clear()
        tasks = [self._write] * WRITERS + [self._read] * READERS + [self._log_in]
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(self._repeat, task, n % 2 == 1) for n, task in enumerate(tasks)]
            try:
                yield
            finally:
                self._stop.set()
        for each in running:
            each.result()

    def await_writes(self, number: int, seconds: float = 60) -> None:
        """Wait until as many writes are acknowledged."""
        self._await(lambda: len(self.acknowledged) >= number, seconds)

    def await_more_writes(self, number: int) -> None:
        """Wait until as many more writes are acknowledged than are now, and there is enough of all
        else.
        """
        self.await_writes(len(self.acknowledged) + number)
        self._await(lambda: self._missing().keys() <= {"post"})

    def seconds_to_next_write(self, limit: float = 30) -> float:
        """How long it takes from now until another write is acknowledged."""
        begin, known = time.monotonic(), len(self.acknowledged)
        self.await_writes(known + 1, limit)
        return self.last_success - begin

    def report(self) -> str:
        """All that was counted, for people."""
        counts = {f"{kind}: {outcome}": n for (kind, outcome), n in sorted(self.outcomes.items())}
        return f"{len(self.acknowledged)} writes acknowledged; {counts}; {self.examples}"

    def faults(
        self, present: list[tuple[int, str]], allowed: Mapping[Outcome, float]
    ) -> dict[str, int]:
        """What went wrong, where these ids and titles survived; empty if all is well.

        `allowed` says how often requests may end otherwise than with the documented answer.
        """
        too_few = {f"{kind}: too few by": n for kind, n in self._missing().items()}
        found = {**self.losses(present), **self._excess(allowed), **too_few}
        return {name: number for name, number in found.items() if number}

    def losses(self, present: list[tuple[int, str]]) -> dict[str, int]:
        """What is wrong with the articles, as numbers that must be 0."""
        ids = {title: id for id, title in present}
        return {
            "lost": len(self.acknowledged.keys() - ids.keys()),
            "never sent": len(ids.keys() - self.attempted),
            "duplicates": len(present) - len(ids),
            "wrong id": sum(ids.get(title, id) != id for title, id in self.acknowledged.items()),
        }

    def unanswered(self, present: list[tuple[int, str]]) -> int:
        """Writes that were done for clients who never heard of it."""
        return len({title for _, title in present} - self.acknowledged.keys())

    def total(self, outcome: Outcome) -> int:
        """How many requests of any kind ended like this."""
        return sum(n for (_, each), n in self.outcomes.items() if each is outcome)

    def _excess(self, allowed: Mapping[Outcome, float]) -> dict[str, int]:
        others = set(Outcome) - {Outcome.ANSWERED}
        totals = {each: self.total(each) for each in others}
        return {each.value: n for each, n in totals.items() if n > allowed.get(each, 0)}

    def _await(self, is_done: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not is_done():
            assert time.monotonic() < deadline, self.report()
            time.sleep(WAIT)

    def _missing(self) -> dict[str, int]:
        """How many documented answers each kind of request lacks, where it lacks any."""
        answered = {kind: self.outcomes[kind, Outcome.ANSWERED] for kind in LEAST}
        missing = {kind: least - answered[kind] for kind, least in LEAST.items()}
        return {kind: n for kind, n in missing.items() if n > 0}

    def _repeat(self, task: Callable[[Client], None], keeps_alive: bool) -> None:
        client = Client(self.port, keeps_alive=keeps_alive, patience=self.patience)
        with closing(client):
            while not self._stop.is_set():
                task(client)

    def _write(self, client: Client) -> None:
        title = f"article {next(self._numbers)}"
        self.attempted.add(title)
        body = {"title": title, "text": f"The text of {title}", "access-token": self.token}
        reply = client.call("POST", "/articles/new", body, lambda it: is_written(it, title))
        if self._count("post", reply):
            with self._lock:
                self._articles.append(reply.answer)
                self._recent.append(place(reply.answer))
                self.acknowledged[title] = reply.answer["id"]
                self.last_success = time.monotonic()

    def _read(self, client: Client) -> None:
        with self._lock:
            recent = list(self._recent)
        reply = client.call("GET", "/articles", None, lambda it: is_page(it, recent))
        self._count("list", reply)
        if recent:
            article = random.choice(self._articles)
            path = f"/articles/{article['id']}"
            reply = client.call("GET", path, None, lambda it: is_article(it, article))
            self._count("article", reply)

    def _log_in(self, client: Client) -> None:
        body = {"username": "alice#1", "password": PASSWORD}
        self._count("log in", client.call("POST", "/login", body, is_login))

    def _count(self, kind: str, reply: Reply) -> bool:
        """Whether it is the documented answer."""
        with self._lock:
            if reply.detail and not self.outcomes[kind, reply.outcome]:
                self.examples.append(f"{kind}: {reply.outcome}: {reply.detail}")
            self.outcomes[kind, reply.outcome] += 1
        if reply.outcome is not Outcome.ANSWERED:
            time.sleep(WAIT)
        return reply.outcome is Outcome.ANSWERED


def is_written(answer: Article, title: str) -> bool:
    expected = {"title": title, "text": f"The text of {title}"}
    return (
        answer.keys() == WRITTEN
        and isinstance(answer["id"], int)
        and expected.items() <= answer.items()
    )


def is_article(answer: Article, written: Article) -> bool:
    return answer == {**written, "author.username": "alice#1"}


def is_login(answer: dict[str, Any]) -> bool:
    return (
        answer.keys() == {"access-token", "user_id", "username"} and answer["username"] == "alice#1"
    )


def is_page(answer: dict[str, Any], recent: list[Place]) -> bool:
    """Whether it is a first page, and none of the articles that were acknowledged before is
    missing.
    """
    if answer.keys() != {"articles", "next"} or not isinstance(answer["next"], bool):
        return False
    entries = answer["articles"]
    if len(entries) > PAGE or any(each.keys() != HEADLINE for each in entries):
        return False
    places = [place(each) for each in entries]
    last = places[-1] if len(places) == PAGE else ("", 0)
    is_sorted = places == sorted(set(places), reverse=True)
    return is_sorted and all(each in places or each < last for each in recent)


def place(article: Article) -> Place:
    return article["date_posted"], article["id"]
