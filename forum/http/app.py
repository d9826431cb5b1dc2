"""The application: the routes and what surrounds them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import falcon.asgi

from forum.domain.articles import ArticleService
from forum.domain.sessions import SessionService
from forum.domain.users import UserService
from forum.http.authentication import Authenticator
from forum.http.client_address import ClientAddress
from forum.http.dispatch import Dispatch
from forum.http.errors import add_error_handlers
from forum.http.guard import Application, BodyLimit, Guard, Scope
from forum.http.middleware import GuardRefusals, ResponseHeaders, Shutdown
from forum.http.resources.articles import Articles
from forum.http.resources.sessions import Sessions
from forum.http.resources.users import Users
from forum.http.router import Router
from forum.http.routes import ROUTES, Route
from forum.http.schemas import ArticleBody


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """In bytes.

    The longest body of names, passwords and tokens, that of an article, and all bodies together.
    """

    fields: int
    article: int
    together: int


def create_app(
    users: UserService,
    sessions: SessionService,
    articles: ArticleService,
    dispatch: Dispatch,
    *,
    proxies: Sequence[str],
    body_limits: BodyLimits,
    cors_origins: str | list[str],
    close: Callable[[], object],
) -> Application:
    """The forum as an ASGI application.

    `dispatch` decides where a use case runs; `proxies` are the addresses and networks whose word
    about clients is believed; `cors_origins` is "*" or the origins whose pages may call; `close` is
    called once, when the server stops.
    """
    middleware: list[Any] = [GuardRefusals(), ResponseHeaders(cors_origins), Shutdown(close)]
    router = Router()
    app: Any = falcon.asgi.App(router=router, middleware=middleware)
    add_error_handlers(app)
    address_of, authenticator = ClientAddress(proxies), Authenticator(dispatch, sessions)
    by_name = {
        "users": Users(dispatch, users, address_of),
        "sessions": Sessions(dispatch, sessions, authenticator, address_of),
        "articles": Articles(dispatch, articles, authenticator),
    }
    for path, resource, suffix in dict.fromkeys((r.path, r.resource, r.suffix) for r in ROUTES):
        app.add_route(path, by_name[resource], suffix=suffix)
    return Guard(
        app, _body_limit(router, body_limits), body_limits.together, address_of.notice_forwarded
    )


def _body_limit(router: Router, limits: BodyLimits) -> BodyLimit:
    """How long a body may be, by what its route does with it; unknown ones read none."""
    by_route = {(route.path, route.method): _longest_body(route, limits) for route in ROUTES}

    def limit(scope: Scope) -> int:
        path, raw_path = scope["path"], scope.get("raw_path", b"")
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if (path, method) in by_route and b"%" not in raw_path:  # as most are
            return by_route[path, method]
        found = router.find_target(path, raw_path)
        return by_route.get((found[3], method), 0) if found else 0

    return limit


def _longest_body(route: Route, limits: BodyLimits) -> int:
    if route.body is None:
        return 0
    return limits.article if issubclass(route.body, ArticleBody) else limits.fields
