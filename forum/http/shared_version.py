"""The store's version, asked once for all requests that are here."""

import math
import time

from forum.http.dispatch import received
from forum.http.ports import StoreVersion


class SharedVersion:
    """A `StoreVersion` that spares the store questions, and is as good as asking each time.

    What was asked after a request had arrived counts whatever its client could know of. So one
    question, which costs as much as half of a remembered answer, serves all requests that waited
    for the event loop at that moment.
    """

    def __init__(self, ask: StoreVersion) -> None:
        self._ask = ask
        self._asked = -math.inf
        self._version: object | None = None

    def __call__(self) -> object | None:
        if received.get(math.inf) >= self._asked:
            self._asked = time.monotonic()
            self._version = self._ask()
        return self._version
