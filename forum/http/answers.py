"""How answers are written."""

import orjson
from falcon.asgi import Response


def send_json(resp: Response, answer: object) -> None:
    """Answer with this, as JSON."""
    resp.data = orjson.dumps(answer)
