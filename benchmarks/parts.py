"""The service in parts that can be called alone, put together as `forum.main` does."""

from collections.abc import Awaitable, Callable
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
from forum.adapters.remembered_sessions import RememberedSessions
from forum.adapters.sql import articles as article_statements
from forum.adapters.sql import sessions as session_statements
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.statements import Statement
from forum.adapters.tokens import JwtTokens
from forum.config import Settings
from forum.domain.articles import ArticleLimits
from forum.domain.repositories import Repositories
from forum.http.authentication import Authenticator
from forum.http.ports import StoreVersion
from forum.http.resources.articles import Articles
from forum.http.resources.sessions import Sessions
from forum.main import build
from forum.repositories import sql_repositories
from forum.schedule import make_dispatcher
from forum.services import Services, wire
from forum.storage import Store, prepare

_SECRET = "a secret for measuring, of at least thirty-two bytes"
_CREDENTIALS = {"username": "alice#1", "password": PASSWORD, "address": "127.0.0.1"}
_TOKENS, _CLOCK = JwtTokens(lambda: [_SECRET]), SystemClock()

Responder = Callable[[Request, Response], Awaitable[None]]


@dataclass(frozen=True)
class Parts:
    """What answers a request below the framework; each part calls the one before it."""

    database: Callable[[], object] | None
    """None where the adapter remembers what it found."""
    adapter: Callable[[], object]
    use_case: Callable[[], object]
    resource: Responder


class Service:
    """The service on a database, as long as its version is the one that is told."""

    def __init__(self, settings: Settings, database: SqliteDatabase, version: StoreVersion) -> None:
        self._database = database
        repositories = sql_repositories(database)
        store = Store(repositories, version=version)
        self.app = build(settings, store)
        self.uncached = build(replace(settings, cache_memory=0), store)
        """The same, where no answer is remembered."""
        # Asked each time, as by a request that arrives alone.
        sessions = RememberedSessions(repositories.sessions, version)
        self._repositories = replace(repositories, sessions=sessions)
        self.services = _wired(settings, self._repositories)
        dispatch = make_dispatcher(settings, self.services, store, store.together, None)
        authenticator = Authenticator(dispatch, self.services.sessions)
        self._articles = Articles(dispatch, self.services.articles, authenticator)
        self._sessions = Sessions(dispatch, self.services.sessions, authenticator, _no_address)

    def latest(self, page_size: int) -> Parts:
        """The first page of articles."""
        return Parts(
            self._run(article_statements.LATEST, offset=0, limit=page_size + 1),
            partial(self._repositories.articles.latest, 0, page_size + 1),
            partial(self.services.articles.latest, page=None, before=None),
            self._articles.on_get_latest,
        )

    def article(self, number: int) -> Parts:
        """One article."""
        return Parts(
            self._run(article_statements.FIND, id=number),
            partial(self._repositories.articles.find, number),
            partial(self.services.articles.read, str(number)),
            partial(self._articles.on_get, article_id=str(number)),
        )

    def verification(self, token: str) -> Parts:
        """Whose token it is."""
        claims, sessions = _TOKENS.read(token), self._repositories.sessions
        if claims is None:
            raise ValueError(token)
        return Parts(
            self._run(
                session_statements.FIND,
                id=claims.session_id,
                user_id=claims.user_id,
                now=self._database.to_stored(_CLOCK.now()),
            ),
            lambda: sessions.find(_TOKENS.read(token) or claims, _CLOCK.now()),
            partial(self.services.sessions.authenticate, token),
            self._sessions.on_post_verify_token,
        )

    def _run(self, statement: Statement, **parameters: object) -> Callable[[], object]:
        """The statement alone, on the connection that the repositories use."""
        peewee: Any = self._database.peewee
        connection, rendered = peewee.connection(), statement.rendered_for(peewee)
        values = rendered.in_order(parameters)
        return lambda: connection.execute(rendered.sql, values).fetchall()


class Forum:
    """The service on a database in the folder, which is made and filled."""

    def __init__(self, folder: Path, articles: int) -> None:
        path = folder / "forum.db"
        settings = Settings.from_environment().on(f"sqlite:///{path}")
        settings = replace(settings, secret_key=_SECRET)
        prepare(settings)
        SqliteForum(Size(articles), path).fill()
        self._database, changes = SqliteDatabase(path, settings.store_timeout), count()
        self.page_size = settings.page_size
        self.quiet = Service(settings, self._database, self._database.version)
        """Where nothing is written, so that what was found is remembered."""
        self.busy = Service(
            settings, self._database, lambda: (self._database.version(), next(changes))
        )
        """Where something seems to be written before each request."""
        self.quiet.services.users.register(**_CREDENTIALS)
        self.token = self.quiet.services.sessions.log_in(**_CREDENTIALS).token
        """That of a user who has just logged in."""

    def close(self) -> None:
        """Close its connection."""
        self._database.close()


def _wired(settings: Settings, repositories: Repositories) -> Services:
    return wire(
        repositories,
        hasher=Argon2Passwords(settings.hash_memory, settings.hash_passes),
        tokens=_TOKENS,
        clock=_CLOCK,
        audit_log=ProcessAuditLog(),
        audit_lifetime=timedelta(seconds=settings.audit_lifetime),
        token_lifetime=timedelta(seconds=settings.token_lifetime),
        article_limits=ArticleLimits(settings.page_size, settings.title_limit, settings.text_limit),
        rate_limits=None,  # Who reads is not counted.
    )


def _no_address(req: Request) -> str:
    return "127.0.0.1"
