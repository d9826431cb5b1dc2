"""Articles: reading anybody's, writing one's own."""

from falcon.asgi import Request, Response

from forum.domain.articles import ArticleService
from forum.http import body_schemas, schemas
from forum.http.answers import send_json
from forum.http.authentication import Authenticator
from forum.http.bodies import read_body
from forum.http.dispatch import Dispatch

_TOKEN = body_schemas.TokenBody()
_ARTICLE = body_schemas.ArticleBody()


class Articles:
    """Articles: reading anybody's, writing one's own."""

    def __init__(
        self, dispatch: Dispatch, articles: ArticleService, authenticator: Authenticator
    ) -> None:
        self._dispatch = dispatch
        self._articles = articles
        self._authenticator = authenticator

    async def on_get_latest(self, req: Request, resp: Response) -> None:
        page = await self._dispatch(self._articles.latest, page=_page_parameter(req))
        send_json(resp, schemas.page_answer(page))

    async def on_get_latest_by(self, req: Request, resp: Response, user_id: str) -> None:
        page = await self._dispatch(self._articles.latest_by, user_id, page=_page_parameter(req))
        send_json(resp, schemas.page_answer(page))

    async def on_get(self, req: Request, resp: Response, article_id: str) -> None:
        article = await self._dispatch(self._articles.read, article_id)
        send_json(resp, schemas.article_answer(article))

    async def on_post_new(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _ARTICLE)
        principal = await self._authenticator.authenticate(req, body)
        article = await self._dispatch(
            self._articles.post, principal.user, title=body["title"], text=body["text"]
        )
        send_json(resp, schemas.written_answer(article))

    async def on_put_edit(self, req: Request, resp: Response, article_id: str) -> None:
        body = await read_body(req, _ARTICLE)
        principal = await self._authenticator.authenticate(req, body)
        article = await self._dispatch(
            self._articles.edit, principal.user, article_id, title=body["title"], text=body["text"]
        )
        send_json(resp, schemas.written_answer(article))

    async def on_delete_delete(self, req: Request, resp: Response, article_id: str) -> None:
        body = await read_body(req, _TOKEN)
        principal = await self._authenticator.authenticate(req, body)
        article = await self._dispatch(self._articles.delete, principal.user, article_id)
        send_json(resp, schemas.written_answer(article))


def _page_parameter(req: Request) -> str | None:
    """The first `page` of the query, as it was sent."""
    pages = req.get_param_as_list("page")
    return pages[0] if pages else None
