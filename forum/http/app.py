"""The application: the routes and what surrounds them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import falcon.asgi

from forum.domain.articles import ArticleService
from forum.domain.sessions import SessionService
from forum.domain.users import UserService
from forum.http.authentication import Authenticator
from forum.http.body_schemas import ArticleBody
from forum.http.cache import Cache
from forum.http.client_address import ClientAddress
from forum.http.dispatch import Dispatch
from forum.http.errors import add_error_handlers
from forum.http.guard import Application, BodyLimit, Guard, Scope
from forum.http.middleware import GuardRefusals, ResponseHeaders, Shutdown
from forum.http.observation import AccessLog, Observation, Observer, counting
from forum.http.ports import Readiness, RequestMetrics, StoreVersion
from forum.http.resources.articles import Articles
from forum.http.resources.documents import Documents
from forum.http.resources.operations import Operations
from forum.http.resources.pages import Pages
from forum.http.resources.sessions import Sessions
from forum.http.resources.users import Users
from forum.http.router import Router
from forum.http.routes import FILES, PAGES, ROUTES, Route


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
    pages: bool,
    require_ready: Readiness,
    store_version: StoreVersion,
    cache_memory: int,
    render_openapi: Callable[[], object],
    access_log: bool,
    metrics: RequestMetrics | None,
    close: Callable[[], object],
) -> Application:
    """The forum as an ASGI application.

    `dispatch` decides where a use case runs; `proxies` are the addresses and networks whose word
    about clients is believed; `cors_origins` is "*" or the origins whose pages may call;
    without `pages` it is an API alone; `access_log` has a line written for each request, and
    `metrics` counts them; public answers are remembered in `cache_memory` bytes while the
    `store_version` is the same; `close` is called once, when the server stops.
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
        "operations": Operations(dispatch, require_ready),
        "documents": Documents(render_openapi),
    }
    for path, resource, suffix in dict.fromkeys((r.path, r.resource, r.suffix) for r in ROUTES):
        app.add_route(path, by_name[resource], suffix=suffix)
    files = Pages()
    for path, suffix in (FILES | PAGES if pages else FILES).items():
        app.add_route(path, files, suffix=suffix)
    limit, together = _body_limit(router, body_limits), body_limits.together
    cache = Cache(
        app,
        version=store_version,
        is_public=_public_routes(router),
        is_for_all_origins=cors_origins == "*",
        memory=cache_memory,
        metrics=metrics,
    )
    guard = Guard(cache if cache_memory else app, limit, together, address_of.notice_forwarded)
    return _observed(guard, router, AccessLog(address_of.of) if access_log else None, metrics)


def _observed(
    app: Application, router: Router, access_log: Observer | None, metrics: RequestMetrics | None
) -> Application:
    observers = [access_log] if access_log else []
    if metrics:
        observers.append(counting(metrics))
    if not observers:
        return app
    observation = Observation(app, router.template_of, observers)
    if metrics:
        metrics.watch_in_flight(lambda: observation.in_flight)
    return observation


def _public_routes(router: Router) -> Callable[[Scope], bool]:
    templates = {route.path for route in ROUTES if route.is_public}
    return lambda scope: router.template_of(scope) in templates


def _body_limit(router: Router, limits: BodyLimits) -> BodyLimit:
    """How long a body may be, by what its route does with it; unknown ones read none."""
    by_route = {(route.path, route.method): _longest_body(route, limits) for route in ROUTES}

    def limit(scope: Scope) -> int:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        return by_route.get((router.template_of(scope) or "", method), 0)

    return limit


def _longest_body(route: Route, limits: BodyLimits) -> int:
    if route.body is None:
        return 0
    return limits.article if issubclass(route.body, ArticleBody) else limits.fields
