"""Where use cases run."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from forum.adapters.audit_log import ProcessAuditLog
from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.tables import MemoryTables
from forum.config import Settings
from forum.domain.model import Headline, Position
from forum.main import _services
from forum.repositories import memory_repositories
from forum.schedule import make_dispatcher
from forum.storage import Store
from tests.conftest import CHEAP_HASHER, SECRET

if TYPE_CHECKING:
    from forum.http.dispatch import Dispatcher
    from forum.services import Services


class Articles(MemoryArticles):
    """Notes on which threads lists were read."""

    def __init__(self) -> None:
        super().__init__(MemoryTables())
        self.threads: list[str] = []

    def latest(self, offset: int, limit: int) -> list[Headline | None]:
        self.threads.append(threading.current_thread().name.partition("_")[0])
        return []

    def older(self, than: Position, limit: int) -> list[Headline | None]:
        return self.latest(0, limit)


class Service:
    """The services on one store, and where they run."""

    def __init__(self, *, is_embedded: bool) -> None:
        settings = replace(
            Settings.from_environment().on("memory://"), secret_key=SECRET, page_size=100
        )
        self.articles = Articles()
        plain = memory_repositories(MemoryTables())
        store = Store(replace(plain, articles=self.articles), is_embedded)
        self._services: Services = _services(
            settings, store.repositories, ProcessAuditLog(), CHEAP_HASHER
        )
        self.dispatch: Dispatcher = make_dispatcher(
            settings, self._services, store, nullcontext, None
        )

    def list(self, page: str | None = None, before: str | None = None) -> str:
        """The name of the threads on which a list is read, or that of the event loop's."""
        latest = self._services.articles.latest
        asyncio.run(self.dispatch(latest, page=page, before=before))  # type: ignore[arg-type]
        return self.articles.threads[-1]


@pytest.fixture
def embedded() -> Iterator[Service]:
    service = Service(is_embedded=True)
    yield service
    service.dispatch.close()


def test_pages_near_the_beginning_of_an_embedded_store_are_read_at_once(embedded: Service) -> None:
    pages = [None, "1", "50", "x", "0000000000000000000050"]
    assert {embedded.list(page) for page in pages} == {"MainThread"}


def test_far_pages_leave_the_event_loop(embedded: Service) -> None:
    assert {embedded.list(page) for page in ["51", "99", "9" * 40]} == {"reading"}


def test_what_is_before_a_position_is_near_however_deep(embedded: Service) -> None:
    moment = datetime(1, 1, 1, tzinfo=UTC).isoformat()[:19]
    assert embedded.list("99", f"{moment}.000000,1") == "MainThread"


def test_a_store_behind_a_network_is_never_read_on_the_event_loop() -> None:
    service = Service(is_embedded=False)
    assert service.list() == "reading"
    service.dispatch.close()
