"""The service in parts that can be called alone, put together as `forum.main` does."""

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from falcon.asgi import Request, Response

from benchmarks.api import PASSWORD
from benchmarks.data import Size, SqliteForum
from forum.adapters.audit_log import ProcessAuditLog
from forum.adapters.clock import SystemClock
from forum.adapters.passwords import Argon2Passwords
from forum.adapters.sql import articles as article_statements
from forum.adapters.sql import sessions as session_statements
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.statements import Statement
from forum.adapters.tokens import JwtTokens
from forum.config import Settings
from forum.domain.articles import ArticleLimits
from forum.http.authentication import Authenticator
from forum.http.resources.articles import Articles
from forum.http.resources.sessions import Sessions
from forum.main import build
from forum.repositories import sql_repositories
from forum.schedule import make_dispatcher
from forum.services import Services, wire
from forum.storage import Store, prepare

_SECRET = "a secret for measuring, of at least thirty-two bytes"
_CREDENTIALS = {"username": "alice#1", "password": PASSWORD, "address": "127.0.0.1"}

Responder = Callable[[Request, Response], Awaitable[None]]


@dataclass(frozen=True)
class Parts:
    """What answers a request below the framework; each part calls the one before it."""

    database: Callable[[], object]
    adapter: Callable[[], object]
    use_case: Callable[[], object]
    resource: Responder


def _no_address(req: Request) -> str:
    return "127.0.0.1"


class Forum:
    """The service on a database in the folder, which is made and filled."""

    def __init__(self, folder: Path, articles: int) -> None:
        path = folder / "forum.db"
        settings = Settings.from_environment().on(f"sqlite:///{path}")
        settings = replace(settings, secret_key=_SECRET)
        prepare(settings)
        SqliteForum(Size(articles), path).fill()
        self._database = SqliteDatabase(path, settings.store_timeout)
        peewee: Any = self._database.peewee
        self._connection = peewee.connection()
        self._repositories = sql_repositories(self._database)
        self._page_size = settings.page_size
        self._clock, self._tokens = SystemClock(), JwtTokens(lambda: [_SECRET])
        self._services = self._wired(settings)
        store = Store(self._repositories, version=self._database.version)
        dispatch = make_dispatcher(settings, self._services, store, nullcontext, None)
        authenticator = Authenticator(dispatch, self._services.sessions)
        self._articles = Articles(dispatch, self._services.articles, authenticator)
        self._sessions = Sessions(dispatch, self._services.sessions, authenticator, _no_address)
        self._services.users.register(**_CREDENTIALS)
        self.token = self._services.sessions.log_in(**_CREDENTIALS).token
        """That of a user who has just logged in."""
        self.without_cache = build(replace(settings, cache_memory=0), store)
        self.with_cache = build(settings, store)
        changes = count()
        self.with_missing_cache = build(
            settings, replace(store, version=lambda: (self._database.version(), next(changes)))
        )
        """One whose cache asks for the version as ever, and always finds a new one."""

    def close(self) -> None:
        """Close its connection."""
        self._database.close()

    def latest(self) -> Parts:
        """The first page of articles."""
        return Parts(
            self._run(article_statements.LATEST, offset=0, limit=self._page_size + 1),
            partial(self._repositories.articles.latest, 0, self._page_size + 1),
            partial(self._services.articles.latest, page=None, before=None),
            self._articles.on_get_latest,
        )

    def article(self, number: int) -> Parts:
        """One article."""
        return Parts(
            self._run(article_statements.FIND, id=number),
            partial(self._repositories.articles.find, number),
            partial(self._services.articles.read, str(number)),
            partial(self._articles.on_get, article_id=str(number)),
        )

    def verification(self) -> Parts:
        """Whose token it is."""
        tokens, sessions, now = self._tokens, self._repositories.sessions, self._clock.now
        claims = tokens.read(self.token)
        if claims is None:
            raise ValueError(self.token)
        return Parts(
            self._run(
                session_statements.FIND,
                id=claims.session_id,
                user_id=claims.user_id,
                now=self._database.to_stored(now()),
            ),
            lambda: sessions.find(tokens.read(self.token) or claims, now()),
            partial(self._services.sessions.authenticate, self.token),
            self._sessions.on_post_verify_token,
        )

    def _wired(self, settings: Settings) -> Services:
        return wire(
            self._repositories,
            hasher=Argon2Passwords(settings.hash_memory, settings.hash_passes),
            tokens=self._tokens,
            clock=self._clock,
            audit_log=ProcessAuditLog(),
            audit_lifetime=timedelta(seconds=settings.audit_lifetime),
            token_lifetime=timedelta(seconds=settings.token_lifetime),
            article_limits=ArticleLimits(
                settings.page_size, settings.title_limit, settings.text_limit
            ),
            rate_limits=None,  # Who reads is not counted.
        )

    def _run(self, statement: Statement, **parameters: object) -> Callable[[], object]:
        """The statement alone, on the connection that the repositories use."""
        rendered = statement.rendered_for(self._database.peewee)
        values = rendered.in_order(parameters)
        connection = self._connection
        return lambda: connection.execute(rendered.sql, values).fetchall()
