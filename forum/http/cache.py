"""Public answers that are remembered, in front of the framework."""

from collections import OrderedDict
from typing import NamedTuple

from forum.http.answers import has_tag
from forum.http.guard import REFUSAL, REQUEST_ID, Application, Message, Receive, Scope, Send
from forum.http.ports import StoreVersion

Header = tuple[bytes, bytes]
Key = tuple[bytes, bytes]
"""A path and a query, as they were sent."""

IS_REMEMBERED = "forum.is_remembered"
"""The key of the scope under which is said of a request that may be answered from memory whether
it was.
"""

_QUERIES = (b"page=", b"before=")
_LONGEST_QUERY = 64
"""Bytes; others spell what few ask for twice."""

_MOST_MET = 8192
"""Keys that were asked for, in about 80 bytes each."""

_BESIDES = 1536
"""Bytes that are counted for an answer besides its body: about what its headers take."""

_OF_A_BODY = {b"content-length", b"content-type"}


class Kept(NamedTuple):
    """A remembered answer."""

    headers: list[Header]
    body: bytes
    tag: str


class Cache:
    """An ASGI application that answers from memory what is public, while the store is unchanged.

    What is asked for once is not remembered: to ask for the version, and to keep the answer, takes
    a quarter of the time of a short one, and whoever walks through everything would displace what
    many read.

    It is never stale. The store's version is asked before each look-up, and what is remembered was
    begun after that version was asked: as long as it is the same, nothing was committed since. An
    answer that another request with a newer version has overtaken is not remembered.
    """

    def __init__(
        self,
        app: Application,
        *,
        version: StoreVersion,
        prefixes: tuple[bytes, ...],
        is_for_all_origins: bool,
        memory: int,
    ) -> None:
        """Remember answers of `memory` bytes in all, the oldest of which give way.

        The paths of all public routes begin with one of the `prefixes`; whether an answer is public
        is seen by its tag.
        """
        self._app = app
        self._ask_version = version
        self._prefixes = prefixes
        self._is_for_all_origins = is_for_all_origins
        self._memory = memory
        self._version: object = None
        # A dict takes the longer to find its oldest key, the more it has lost: 12 microseconds.
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._size = 0
        self._met: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None or not key[0].startswith(self._prefixes):
            await self._app(scope, receive, send)
            return
        if not self._meet(key):
            scope[IS_REMEMBERED] = False
            await self._app(scope, receive, send)
            return
        known, origin = _asked(scope)
        version = self._ask_version()
        if version is None or (origin and not self._is_for_all_origins):
            await self._app(scope, receive, send)
            return
        if version != self._version:
            self._forget(version)
        kept = self._kept.get(key)
        scope[IS_REMEMBERED] = kept is not None
        if kept:
            await _answer(kept, known, scope, send)
        elif scope["method"] == "GET":
            await self._ask(key, known, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _ask(
        self, key: Key, known: str | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        version, messages = self._version, list[Message]()

        async def collect(message: Message) -> None:
            messages.append(message)

        if known:  # What is remembered is the whole answer.
            scope["headers"] = [each for each in scope["headers"] if each[0] != b"if-none-match"]
        await self._app(scope, receive, collect)
        kept = _kept(messages)
        if kept and version == self._version:
            self._remember(key, kept)
        if kept and known:
            await _answer(kept, known, scope, send)
            return
        for message in messages:
            await send(message)

    def _meet(self, key: Key) -> bool:
        """Note that it is asked for, and tell whether it was before; writes do not change that."""
        number = hash(key)
        if number in self._met:
            return True
        if len(self._met) >= _MOST_MET:
            self._met.clear()
        self._met.add(number)
        return False

    def _forget(self, version: object) -> None:
        self._version = version
        self._kept.clear()
        self._size = 0

    def _remember(self, key: Key, kept: Kept) -> None:
        replaced = self._kept.pop(key, None)  # Another request asked for it, too.
        self._size += _size(kept) - (_size(replaced) if replaced else 0)
        self._kept[key] = kept
        while self._size > self._memory:
            self._size -= _size(self._kept.popitem(last=False)[1])


def _key(scope: Scope) -> Key | None:
    """Under what an answer is remembered; None for a request that is none of the usual ones."""
    if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or REFUSAL in scope:
        return None
    query = scope["query_string"]
    if query and (b"&" in query or len(query) > _LONGEST_QUERY or not query.startswith(_QUERIES)):
        return None
    raw_path = scope.get("raw_path")  # Servers may leave it out.
    return (raw_path, query) if raw_path else None


def _asked(scope: Scope) -> tuple[str | None, bool]:
    """The tags that the client knows, and whether it is a page of some origin."""
    known, origin = None, False
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            tags = value.decode("latin-1")
            known = f"{known},{tags}" if known else tags
        elif name == b"origin":
            origin = True
    return known, origin


def _kept(messages: list[Message]) -> Kept | None:
    """What is remembered of an answer; None if it is not public."""
    if messages[0]["status"] != 200:
        return None
    headers = [each for each in messages[0]["headers"] if each[0] != b"x-request-id"]
    for name, value in headers:
        if name == b"etag":
            body = b"".join([each.get("body", b"") for each in messages[1:]])
            # A copy as long as it is: what has made the body may have taken more room.
            return Kept(headers, bytes(memoryview(body)), value.decode())
    return None


def _size(kept: Kept) -> int:
    return len(kept.body) + _BESIDES


async def _answer(kept: Kept, known: str | None, scope: Scope, send: Send) -> None:
    is_known = known is not None and has_tag(known, kept.tag)
    headers = [*kept.headers, (b"x-request-id", scope[REQUEST_ID].encode())]
    if is_known:
        headers = [each for each in headers if each[0] not in _OF_A_BODY]
    body = b"" if is_known or scope["method"] == "HEAD" else kept.body
    status = 304 if is_known else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
