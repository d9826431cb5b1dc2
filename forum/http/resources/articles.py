"""Articles: reading anybody's, writing one's own."""

from falcon.asgi import Request, Response

from forum.domain.articles import ArticleService
from forum.domain.model import Page
from forum.http import body_schemas, schemas
from forum.http.answers import send_json, send_public
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
        page = await self._dispatch(self._articles.latest, **_place(req))
        _send_page(req, resp, page)

    async def on_get_latest_by(self, req: Request, resp: Response, user_id: str) -> None:
        page = await self._dispatch(self._articles.latest_by, user_id, **_place(req))
        _send_page(req, resp, page)

    async def on_get(self, req: Request, resp: Response, article_id: str) -> None:
        article = await self._dispatch(self._articles.read, article_id)
        send_public(req, resp, schemas.article_answer(article))

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


def _place(req: Request) -> dict[str, str | None]:
    """Where in a list a page is asked for: the first of each parameter, as it was sent."""
    return {name: _first(req, name) for name in ("page", "before")}


def _first(req: Request, name: str) -> str | None:
    values = req.get_param_as_list(name)
    return values[0] if values else None


def _send_page(req: Request, resp: Response, page: Page) -> None:
    if page.has_next and page.headlines:
        last = page.headlines[-1]
        place = f"{schemas.format_timestamp(last.date_posted)},{last.id}"
        # Relative to the list itself: the prefix of a proxy stays.
        resp.set_header("Link", f'<?before={place}>; rel="next"')
    send_public(req, resp, schemas.page_answer(page))
