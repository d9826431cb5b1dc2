"""The memory that request bodies may take together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Body:
    """A body on its way in."""

    def __init__(self) -> None:
        self.content = bytearray()


class BodyMemory:
    """Counts the bytes of all bodies that arrive or are worked on, and keeps them below a limit.

    Whoever fills it with bodies that never end must not keep others out, so it is the oldest body
    still arriving that gives way to a new one: an honest one arrives within milliseconds.
    """

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self._free = limit
        self._arriving: dict[Body, asyncio.Timeout] = {}  # the oldest first

    def add(self, body: Body, piece: bytes) -> bool:
        """Append the piece, and return True; or False where there is no room for it.

        It counts until `empty`.
        """
        while len(piece) > self._free and self._evict_other_than(body):
            pass
        if len(piece) > self._free:
            return False
        self._free -= len(piece)
        body.content += piece
        return True

    @asynccontextmanager
    async def evictable(self, body: Body) -> AsyncIterator[None]:
        """A block in which others may take the body's memory: it ends with TimeoutError then."""
        async with asyncio.timeout(None) as self._arriving[body]:
            try:
                yield
            finally:
                self._arriving.pop(body, None)

    def empty(self, body: Body) -> None:
        """Take back what was added to the body."""
        self._free += len(body.content)
        body.content = bytearray()

    def _evict_other_than(self, body: Body) -> bool:
        for oldest in self._arriving:
            if oldest is not body:
                self._arriving.pop(oldest).reschedule(0)
                self.empty(oldest)
                return True
        return False
