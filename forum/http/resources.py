"""One class for each noun, one responder for each documented route."""

from typing import Any

import orjson
from falcon.asgi import Request, Response

from forum.domain.articles import ArticleService
from forum.domain.model import User
from forum.domain.users import UserService
from forum.http import schemas
from forum.http.body import read_body, read_token
from forum.http.lanes import Call

_CREDENTIALS = schemas.CredentialsBody()
_TOKEN = schemas.TokenBody()
_ARTICLE = schemas.ArticleBody()

_IDENTITY_ANSWER = schemas.IdentityAnswer()
_USER_ANSWER = schemas.UserAnswer()
_SESSION_ANSWER = schemas.SessionAnswer()
_WRITTEN_ANSWER = schemas.WrittenArticleAnswer()


class Users:
    """Accounts: making one, proving that it is one's own, looking at one."""

    def __init__(self, call: Call, users: UserService) -> None:
        self._call = call
        self._users = users

    async def on_post_register(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _CREDENTIALS)
        user = await self._call(self._users.register, body["username"], body["password"])
        _answer(resp, _USER_ANSWER.dump(user))

    async def on_post_login(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _CREDENTIALS)
        session = await self._call(self._users.log_in, body["username"], body["password"])
        resp.set_header("Cache-Control", "no-store")
        _answer(resp, _SESSION_ANSWER.dump(session))

    async def on_post_verify_token(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _TOKEN)
        user = await self._call(self._users.authenticate, read_token(req, body))
        _answer(resp, _IDENTITY_ANSWER.dump(user))

    async def on_get(self, req: Request, resp: Response, user_id: str) -> None:
        user = await self._call(self._users.profile, user_id)
        _answer(resp, _USER_ANSWER.dump(user))


class Articles:
    """Articles: reading anybody's, writing one's own."""

    def __init__(self, call: Call, users: UserService, articles: ArticleService) -> None:
        self._call = call
        self._users = users
        self._articles = articles

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
        author = await self._authenticate(req, body)
        article = await self._call(self._articles.post, author, body["title"], body["text"])
        _answer(resp, _WRITTEN_ANSWER.dump(article))

    async def on_put_edit(self, req: Request, resp: Response, article_id: str) -> None:
        body = await read_body(req, _ARTICLE)
        editor = await self._authenticate(req, body)
        article = await self._call(
            self._articles.edit, editor, article_id, body["title"], body["text"]
        )
        _answer(resp, _WRITTEN_ANSWER.dump(article))

    async def on_delete_delete(self, req: Request, resp: Response, article_id: str) -> None:
        body = await read_body(req, _TOKEN)
        editor = await self._authenticate(req, body)
        article = await self._call(self._articles.delete, editor, article_id)
        _answer(resp, _WRITTEN_ANSWER.dump(article))

    async def _authenticate(self, req: Request, body: dict[str, Any]) -> User:
        return await self._call(self._users.authenticate, read_token(req, body))


def _page(req: Request) -> str | None:
    """The first `page` of the query, as it was sent."""
    pages = req.get_param_as_list("page")
    return pages[0] if pages else None


def _answer(resp: Response, answer: object) -> None:
    resp.data = orjson.dumps(answer)
