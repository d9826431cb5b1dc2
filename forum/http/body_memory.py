"""The memory that request bodies may take together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Body:
    """A body on its way in."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.eviction = asyncio.timeout(None)
        """Inside it the body may be evicted at any moment: `TimeoutError`."""


class BodyMemory:
    """Counts the bytes of all bodies that arrive or are worked on, and keeps them below a limit.

    Whoever fills it with bodies that never end must not keep others out, so it is the oldest body
    still arriving that gives way to a new one: an honest one arrives within milliseconds.
    """

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self._free = limit
        self._arriving: dict[Body, None] = {}  # the oldest first

    @contextmanager
    def body(self) -> Iterator[Body]:
        """An empty body, whose memory counts until the end of the block."""
        body = Body()
        self._arriving[body] = None
        try:
            yield body
        finally:
            self._arriving.pop(body, None)
            self._empty(body)

    def add(self, body: Body, piece: bytes) -> bool:
        """Append the piece, and return True; or False where there is no room for it."""
        while len(piece) > self._free and self._evict_other_than(body):
            pass
        if len(piece) > self._free:
            return False
        self._free -= len(piece)
        body.content += piece
        return True

    def complete(self, body: Body) -> None:
        """The body is whole: it is not evicted any more."""
        self._arriving.pop(body, None)

    def _evict_other_than(self, body: Body) -> bool:
        for oldest in self._arriving:
            if oldest is not body:
                del self._arriving[oldest]
                self._empty(oldest)
                oldest.eviction.reschedule(0)
                return True
        return False

    def _empty(self, body: Body) -> None:
        self._free += len(body.content)
        body.content = bytearray()
