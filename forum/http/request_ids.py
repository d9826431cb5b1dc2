"""The name of a request, which is in its answer and in every line of the log about it."""

import re
from random import getrandbits

from forum.logs import request_id

_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def name_request(given: bytes | None) -> str:
    """The id that the client gave, if it is one, or a new one; the log names it from now on."""
    is_good = given is not None and _GIVEN.fullmatch(given)
    id = given.decode() if given and is_good else f"{getrandbits(64):016x}"
    request_id.set(id)
    return id
