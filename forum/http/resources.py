"""One class for each noun, one responder for each documented route."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from falcon.asgi import Request, Response

from forum.domain.articles import ArticleService
from forum.domain.errors import Unavailable
from forum.domain.model import Login, Session, Visitor
from forum.domain.sessions import SessionService
from forum.domain.users import UserService
from forum.http import schemas
from forum.http.body import read_body, read_token
from forum.http.lanes import Call

AddressOf = Callable[[Request], str]

_CREDENTIALS = schemas.CredentialsBody()
_TOKEN = schemas.TokenBody()
_PASSWORD = schemas.PasswordBody()
_ARTICLE = schemas.ArticleBody()

_LOGIN_ANSWER = schemas.LoginAnswer()


class Users:
    """Accounts: making one, looking at one."""

    def __init__(self, call: Call, users: UserService, address_of: AddressOf) -> None:
        self._call = call
        self._users = users
        self._address_of = address_of

    async def on_post_register(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _CREDENTIALS)
        user = await self._call(
            self._users.register, body["username"], body["password"], self._address_of(req)
        )
        _answer(resp, schemas.user_answer(user))

    async def on_get(self, req: Request, resp: Response, user_id: str) -> None:
        user = await self._call(self._users.profile, user_id)
        _answer(resp, schemas.user_answer(user))


class Visitors:
    """Finds out who asks."""

    def __init__(self, call: Call, sessions: SessionService) -> None:
        self._call = call
        self._sessions = sessions
        self._notes: dict[int, asyncio.Task[None]] = {}
        """The sessions whose use is being noted, by id."""

    async def identify(self, req: Request, body: dict[str, Any]) -> Visitor:
        """Whose token the request carries. Raises `TokenMissing`, `InvalidToken`."""
        visitor = await self._call(self._sessions.authenticate, read_token(req, body))
        if self._sessions.is_touch_due(visitor) and visitor.session.id not in self._notes:
            self._note_use(visitor)
        return visitor

    def _note_use(self, visitor: Visitor) -> None:
        # Beside the request, which must not wait for a writer to finish.
        note = asyncio.create_task(self._touch(visitor))
        self._notes[visitor.session.id] = note
        note.add_done_callback(lambda _: self._notes.pop(visitor.session.id))

    async def _touch(self, visitor: Visitor) -> None:
        with suppress(Unavailable):  # A later request notes it.
            await self._call(self._sessions.touch, visitor)


class Sessions:
    """Logging in and out, and everything about the sessions in between."""

    def __init__(
        self, call: Call, sessions: SessionService, visitors: Visitors, address_of: AddressOf
    ) -> None:
        self._call = call
        self._sessions = sessions
        self._visitors = visitors
        self._address_of = address_of

    async def on_post_login(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _CREDENTIALS)
        login = await self._call(
            self._sessions.log_in, body["username"], body["password"], self._address_of(req)
        )
        _answer_login(resp, login)

    async def on_post_verify_token(self, req: Request, resp: Response) -> None:
        visitor = await self._visitors.identify(req, await read_body(req, _TOKEN))
        _answer(resp, schemas.identity_answer(visitor.user))

    async def on_post_logout(self, req: Request, resp: Response) -> None:
        visitor = await self._visitors.identify(req, await read_body(req, _TOKEN))
        user = await self._call(self._sessions.log_out, visitor)
        _answer(resp, schemas.identity_answer(user))

    async def on_post_change_password(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _PASSWORD)
        visitor = await self._visitors.identify(req, body)
        login = await self._call(
            self._sessions.change_password,
            visitor,
            body["password"],
            body["new_password"],
            self._address_of(req),
        )
        _answer_login(resp, login)

    async def on_get_all(self, req: Request, resp: Response) -> None:
        visitor = await self._visitors.identify(req, await read_body(req, _TOKEN))
        sessions = await self._call(self._sessions.list_all, visitor)
        _answer_sessions(resp, sessions, visitor)

    async def on_delete_all(self, req: Request, resp: Response) -> None:
        visitor = await self._visitors.identify(req, await read_body(req, _TOKEN))
        sessions = await self._call(self._sessions.end_others, visitor)
        _answer_sessions(resp, sessions, visitor)

    async def on_delete(self, req: Request, resp: Response, session_id: str) -> None:
        visitor = await self._visitors.identify(req, await read_body(req, _TOKEN))
        session = await self._call(self._sessions.end, visitor, session_id)
        _answer(resp, schemas.session_answer(session, visitor))


class Articles:
    """Articles: reading anybody's, writing one's own."""

    def __init__(self, call: Call, articles: ArticleService, visitors: Visitors) -> None:
        self._call = call
        self._articles = articles
        self._visitors = visitors

    async def on_get_latest(self, req: Request, resp: Response) -> None:
        page = await self._call(self._articles.latest, _page(req))
        _answer(resp, schemas.page_answer(page))

    async def on_get_latest_by(self, req: Request, resp: Response, user_id: str) -> None:
        page = await self._call(self._articles.latest_by, user_id, _page(req))
        _answer(resp, schemas.page_answer(page))

    async def on_get(self, req: Request, resp: Response, article_id: str) -> None:
        article = await self._call(self._articles.read, article_id)
        _answer(resp, schemas.article_answer(article))

    async def on_post_new(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _ARTICLE)
        author = await self._visitors.identify(req, body)
        article = await self._call(self._articles.post, author.user, body["title"], body["text"])
        _answer(resp, schemas.written_answer(article))

    async def on_put_edit(self, req: Request, resp: Response, article_id: str) -> None:
        body = await read_body(req, _ARTICLE)
        editor = await self._visitors.identify(req, body)
        article = await self._call(
            self._articles.edit, editor.user, article_id, body["title"], body["text"]
        )
        _answer(resp, schemas.written_answer(article))

    async def on_delete_delete(self, req: Request, resp: Response, article_id: str) -> None:
        body = await read_body(req, _TOKEN)
        editor = await self._visitors.identify(req, body)
        article = await self._call(self._articles.delete, editor.user, article_id)
        _answer(resp, schemas.written_answer(article))


def _page(req: Request) -> str | None:
    """The first `page` of the query, as it was sent."""
    pages = req.get_param_as_list("page")
    return pages[0] if pages else None


def _answer(resp: Response, answer: object) -> None:
    resp.data = orjson.dumps(answer)


def _answer_login(resp: Response, login: Login) -> None:
    resp.set_header("Cache-Control", "no-store")
    _answer(resp, _LOGIN_ANSWER.dump(login))


def _answer_sessions(resp: Response, sessions: list[Session], visitor: Visitor) -> None:
    _answer(resp, {"sessions": [schemas.session_answer(each, visitor) for each in sessions]})
