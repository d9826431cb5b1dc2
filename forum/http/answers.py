"""How answers are written."""

import re
from hashlib import blake2b

import orjson
from falcon.asgi import Request, Response

_TAGS = re.compile(r'"[!#-~\x80-\xff]*"')
_TAG_BYTES = 16


def send_json(resp: Response, answer: object) -> None:
    """Answer with this, as JSON."""
    resp.data = orjson.dumps(answer)


def send_public(req: Request, resp: Response, answer: object) -> None:
    """Answer with this, as JSON; without it, if the client has it already.

    Copies may be kept, and are asked for anew each time. The tag is made of the answer alone: every
    process and every store give the same.
    """
    data = orjson.dumps(answer)
    tag = f'"{blake2b(data, digest_size=_TAG_BYTES).hexdigest()}"'
    resp.set_header("ETag", tag)
    resp.set_header("Cache-Control", "no-cache")
    known = req.get_header("If-None-Match")
    if known and has_tag(known, tag):
        resp.status = 304
    else:
        resp.data = data


def has_tag(known: str, tag: str) -> bool:
    """Whether the tag is among those of an `If-None-Match`, weak ones too (RFC 9110, 13.1.2)."""
    return known.strip() == "*" or tag in _TAGS.findall(known)
