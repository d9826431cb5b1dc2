"""What describes the service."""

import asyncio
from collections.abc import Callable

import orjson
from falcon.asgi import Request, Response


class Documents:
    """The OpenAPI document."""

    def __init__(self, render: Callable[[], object]) -> None:
        self._render = render
        self._openapi: bytes | None = None

    async def on_get_openapi(self, req: Request, resp: Response) -> None:
        # At the first request: its library takes longer to load than the rest of a start.
        if self._openapi is None:
            self._openapi = orjson.dumps(await asyncio.to_thread(self._render))
        resp.data = self._openapi
