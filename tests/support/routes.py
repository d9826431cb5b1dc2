"""The requests that the table of routes allows, with 1 for every id."""

import re
from collections import defaultdict

from forum.http.routes import ROUTES, Route

Request = tuple[str, str]
"""A method and a path."""


def request_of(route: Route) -> Request:
    return route.method, re.sub(r"\{\w+\}", "1", route.path)


ALL = [request_of(route) for route in ROUTES]
READING = [request_of(route) for route in ROUTES if route.body]
"""Those of which a body is read."""
NOT_READING = [request_of(route) for route in ROUTES if not route.body]
ASKING = [request_of(route) for route in ROUTES if route.needs_token]
"""Those that ask who the client is."""

METHODS: dict[str, set[str]] = defaultdict(lambda: {"OPTIONS"})
"""The methods that a path allows."""
for method, path in ALL:
    METHODS[path] |= {method, "HEAD"} if method == "GET" else {method}
GET_PATHS = [path for path, methods in METHODS.items() if "GET" in methods]
