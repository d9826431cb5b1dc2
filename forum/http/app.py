"""The application: the routes and what surrounds them."""

from collections.abc import Callable, Mapping, Sequence
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
    """The forum as an ASGI application, which calls `close` once, when the server stops.

    `dispatch` decides where a use case runs; `proxies` are the addresses and networks whose word
    about clients is believed; `cors_origins` is "*" or the origins whose pages may call; without
    `pages` it is an API alone; `access_log` has a line written for each request, `metrics` counts
    them; while `store_version` stays, public answers are kept in `cache_memory` bytes.
    """
    router, address_of = Router(), ClientAddress(proxies)
    authenticator = Authenticator(dispatch, sessions)
    framework = _framework(router, cors_origins, close)
    by_name = {
        "users": Users(dispatch, users, address_of),
        "sessions": Sessions(dispatch, sessions, authenticator, address_of),
        "articles": Articles(dispatch, articles, authenticator),
        "operations": Operations(dispatch, require_ready),
        "documents": Documents(render_openapi),
    }
    _add_routes(framework, by_name, FILES | PAGES if pages else FILES)
    app = _remembering(framework, store_version, cache_memory, cors_origins)
    limit = _body_limit(router, body_limits)
    guard = Guard(app, limit, body_limits.together, address_of.notice_forwarded)
    return _observed(guard, router, AccessLog(address_of.of) if access_log else None, metrics)


def _framework(router: Router, cors_origins: str | list[str], close: Callable[[], object]) -> Any:
    middleware: list[Any] = [GuardRefusals(), ResponseHeaders(cors_origins), Shutdown(close)]
    framework: Any = falcon.asgi.App(router=router, middleware=middleware)
    add_error_handlers(framework)
    return framework


def _add_routes(framework: Any, by_name: Mapping[str, object], files: Mapping[str, str]) -> None:
    for path, resource, suffix in dict.fromkeys((r.path, r.resource, r.suffix) for r in ROUTES):
        framework.add_route(path, by_name[resource], suffix=suffix)
    pages = Pages()
    for path, suffix in files.items():
        framework.add_route(path, pages, suffix=suffix)


def _remembering(
    app: Application,
    version: StoreVersion,
    memory: int,
    cors_origins: str | list[str],
) -> Application:
    if not memory:
        return app
    return Cache(
        app,
        version=version,
        prefixes=_public_prefixes(),
        is_for_all_origins=cors_origins == "*",
        memory=memory,
    )


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


def _public_prefixes() -> tuple[bytes, ...]:
    return tuple({each.path.partition("{")[0].encode() for each in ROUTES if each.is_public})


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
