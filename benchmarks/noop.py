"""The ceiling: an ASGI application that answers a page of ten articles and does nothing else."""

from forum.http.guard import Receive, Scope, Send

_BODY = (
    b'{"articles":[' + b",".join([b'{"id":1,"title":"%s"}' % (b"x" * 90)] * 10) + b'],"next":true}'
)
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request with the same bytes."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
