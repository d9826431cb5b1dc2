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
_LINK = re.compile(rb'(?<="static/)[\w.]+(?=")')


class File(NamedTuple):
    """What is answered for a file."""

    content: bytes
    media_type: str


class StaticFiles:
    """The files by their own names, and by names under which they may be kept for good."""

    def __init__(self) -> None:
        """Reads all of them: two megabytes."""
        paths = [*_OWN.iterdir(), *(_explorer() / name for name in _EXPLORER)]
        contents = {path.name: path.read_bytes() for path in paths}
        names = {name: _lasting_name(name, content) for name, content in contents.items()}
        self.lasting = {names[name]: _file(name, each) for name, each in contents.items()}
        self.pages = {
            name: _file(name, _LINK.sub(lambda link: names[link[0].decode()].encode(), each))
            for name, each in contents.items()
            if name.endswith(".html")
        }
        self.favicon = _file("favicon.ico", contents["favicon.ico"])


def _explorer() -> Path:
    # Not by an import: the package makes strings of all its files, ten megabytes.
    return Path(str(distribution("offapi").locate_file("offapi")))


def _lasting_name(name: str, content: bytes) -> str:
    path = PurePath(name)
    return f"{path.stem}.{hashlib.sha256(content).hexdigest()[:16]}{path.suffix}"


def _file(name: str, content: bytes) -> File:
    return File(content, _MEDIA_TYPES[PurePath(name).suffix])
