"""The route table."""

from collections.abc import Callable, Sequence
from typing import Any

import falcon.asgi

from forum.domain.articles import ArticleService
from forum.domain.sessions import SessionService
from forum.domain.users import UserService
from forum.http import resources
from forum.http.address import Addresses
from forum.http.errors import add_error_handlers
from forum.http.guard import Application, Guard
from forum.http.lanes import Call
from forum.http.middleware import Headers, Refusals, Shutdown
from forum.http.routing import Router


def create_app(
    users: UserService,
    sessions: SessionService,
    articles: ArticleService,
    call: Call,
    *,
    proxies: Sequence[str],
    body_limit: int,
    cors_origins: str | list[str],
    release: Callable[[], object],
) -> Application:
    """The forum as an ASGI application.

    `call` decides where a use case runs; `proxies` are the addresses and networks whose word about
    clients is believed; `body_limit` is in bytes; `cors_origins` is "*" or the
    origins whose pages may call; `release` is called once, when the server stops.
    """
    middleware: list[Any] = [Refusals(), Headers(cors_origins), Shutdown(release)]
    app: Any = falcon.asgi.App(router=Router(), middleware=middleware)
    add_error_handlers(app)
    address_of, visitors = Addresses(proxies), resources.Visitors(call, sessions)
    user = resources.Users(call, users, address_of)
    session = resources.Sessions(call, sessions, visitors, address_of)
    article = resources.Articles(call, articles, visitors)
    app.add_route("/register", user, suffix="register")
    app.add_route("/login", session, suffix="login")
    app.add_route("/logout", session, suffix="logout")
    app.add_route("/change-password", session, suffix="change_password")
    app.add_route("/verify-token", session, suffix="verify_token")
    app.add_route("/sessions", session, suffix="all")
    app.add_route("/sessions/{session_id}", session)
    app.add_route("/users/{user_id}", user)
    app.add_route("/users/{user_id}/articles", article, suffix="latest_by")
    app.add_route("/articles", article, suffix="latest")
    app.add_route("/articles/new", article, suffix="new")
    app.add_route("/articles/{article_id}", article)
    app.add_route("/articles/{article_id}/edit", article, suffix="edit")
    app.add_route("/articles/{article_id}/delete", article, suffix="delete")
    return Guard(app, body_limit)
