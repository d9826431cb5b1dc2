"""Whether the service is well, for those who watch over it."""

import asyncio

from falcon.asgi import Request, Response

from forum.http.answers import send_json
from forum.http.dispatch import Dispatch
from forum.http.ports import Readiness

OK = {"status": "ok"}
READY = {"status": "ready"}


class Operations:
    """Whether the process answers, and whether the store does."""

    def __init__(self, dispatch: Dispatch, require_ready: Readiness) -> None:
        self._dispatch = dispatch
        self._require_ready = require_ready
        self._check: asyncio.Task[None] | None = None

    async def on_get_health(self, req: Request, resp: Response) -> None:
        send_json(resp, OK)

    async def on_get_readiness(self, req: Request, resp: Response) -> None:
        # One check at a time, for all who ask meanwhile: it may wait as long as the store.
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._dispatch(self._require_ready))
        await asyncio.shield(self._check)
        send_json(resp, READY)
