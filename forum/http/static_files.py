"""The files that browsers load, under names that change with their content."""

import hashlib
import re
from importlib.metadata import distribution
from pathlib import Path, PurePath
from typing import NamedTuple

_OWN = Path(__file__).with_name("static")
_EXPLORER = ("swagger_bundle.js", "swagger_style.css")
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
}
_LINK = re.compile(rb'(?<="static/)[\w.]+(?=")|(?<= from "\./)[\w.]+(?=")')
"""The name of a file in a page, or in a module that imports it."""


class File(NamedTuple):
    """What is answered for a file."""

    content: bytes
    media_type: str


class StaticFiles:
    """The pages, and what they load by names under which it may be kept for good."""

    def __init__(self) -> None:
        """Reads all of them: two megabytes."""
        self._own = {path.name: path.read_bytes() for path in _OWN.iterdir()}
        self.lasting: dict[str, File] = {}
        pages = [name for name in self._own if name.endswith(".html")]
        self.pages = {name: _file(name, self._linked(name)) for name in pages}
        self.favicon = _file("favicon.ico", self._own["favicon.ico"])

    def _linked(self, name: str) -> bytes:
        """The content of a file, with the lasting names of what it loads."""
        if name in _EXPLORER:
            return (_explorer() / name).read_bytes()
        return _LINK.sub(lambda link: self._lasting(link[0].decode()).encode(), self._own[name])

    def _lasting(self, name: str) -> str:
        content, path = self._linked(name), PurePath(name)
        lasting = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:16]}{path.suffix}"
        self.lasting[lasting] = _file(name, content)
        return lasting


def _explorer() -> Path:
    # Not by an import: the package makes strings of all its files, ten megabytes.
    return Path(str(distribution("offapi").locate_file("offapi")))


def _file(name: str, content: bytes) -> File:
    return File(content, _MEDIA_TYPES[PurePath(name).suffix])
