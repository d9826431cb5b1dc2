"""What browsers load besides the API."""

import asyncio
import re

import falcon
from falcon.asgi import Request, Response

from forum import __version__
from forum.http.answers import send_json
from forum.http.static_files import File, StaticFiles

_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_INDEX = {
    "name": "Forum",
    "version": __version__,
    "openapi": "/openapi.json",
    "docs": "/docs",
}
_REFUSES = re.compile(r"\s*q=0(\.0*)?\s*")
_ROBOTS = File(b"User-agent: *\nDisallow:\n", "text/plain; charset=utf-8")


class Pages:
    """Pages and their files."""

    def __init__(self) -> None:
        self._files: StaticFiles | None = None

    async def on_get_front(self, req: Request, resp: Response) -> None:
        resp.append_header("Vary", "Accept")
        if _names_html(req.accept):
            await self._send_page(resp, "index.html")
        else:
            send_json(resp, _INDEX)

    async def on_get_docs(self, req: Request, resp: Response) -> None:
        await self._send_page(resp, "docs.html")

    async def on_get_static(self, req: Request, resp: Response, name: str) -> None:
        file = (await self._load()).lasting.get(name)
        if file is None:
            raise falcon.HTTPNotFound
        resp.set_header("Cache-Control", "public, max-age=31536000, immutable")
        _send(resp, file)

    async def on_get_favicon(self, req: Request, resp: Response) -> None:
        _send(resp, (await self._load()).favicon)

    async def on_get_robots(self, req: Request, resp: Response) -> None:
        _send(resp, _ROBOTS)

    async def _send_page(self, resp: Response, name: str) -> None:
        files = await self._load()
        resp.set_headers(_POLICY)
        _send(resp, files.pages[name])

    async def _load(self) -> StaticFiles:
        # At the first request: most workers are never asked.
        if self._files is None:
            self._files = await asyncio.to_thread(StaticFiles)
        return self._files


def _send(resp: Response, file: File) -> None:
    resp.data = file.content
    resp.content_type = file.media_type


def _names_html(accept: str) -> bool:
    """Whether the client names HTML itself, as browsers do: `*/*` is what programs say."""
    kinds = [each.split(";") for each in accept.lower().split(",")]
    return any(
        kind.strip() == "text/html" and not any(map(_REFUSES.fullmatch, more))
        for kind, *more in kinds
    )
