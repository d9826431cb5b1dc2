"""Security events in the log of the process."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import partial

_log = logging.getLogger("forum.security")


class _Thread(threading.local):
    held: list[Callable[[], object]] | None = None


class ProcessAuditLog:
    """An `AuditLog` in the log of the process: the event, and each detail as a field."""

    def __init__(self) -> None:
        self._thread = _Thread()

    def record(self, event: str, **details: object) -> None:
        write = partial(_log.info, event, extra=details)
        if self._thread.held is None:
            write()
        else:  # A line names the request during which it was recorded.
            self._thread.held.append(partial(copy_context().run, write))

    @contextmanager
    def held(self) -> Iterator[AbstractContextManager[object]]:
        """Write, when the block is over, what is recorded inside the block that this gives.

        That one may be entered by another thread. Where the outer one raises, nothing is written.
        """
        held: list[Callable[[], object]] = []
        yield self._holding(held)
        for write in held:
            write()

    @contextmanager
    def _holding(self, held: list[Callable[[], object]]) -> Iterator[None]:
        self._thread.held = held
        try:
            yield
        finally:
            self._thread.held = None
