"""Logging in and out, and everything about the sessions in between."""

from falcon.asgi import Request, Response

from forum.domain.model import Login
from forum.domain.sessions import SessionService
from forum.http import body_schemas, schemas
from forum.http.answers import send_json
from forum.http.authentication import Authenticator
from forum.http.bodies import read_body
from forum.http.client_address import AddressOf
from forum.http.dispatch import Dispatch

_CREDENTIALS = body_schemas.CredentialsBody()
_TOKEN = body_schemas.TokenBody()
_PASSWORD = body_schemas.PasswordBody()


class Sessions:
    """Logging in and out, and everything about the sessions in between."""

    def __init__(
        self,
        dispatch: Dispatch,
        sessions: SessionService,
        authenticator: Authenticator,
        address_of: AddressOf,
    ) -> None:
        self._dispatch = dispatch
        self._sessions = sessions
        self._authenticator = authenticator
        self._address_of = address_of

    async def on_post_login(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _CREDENTIALS)
        login = await self._dispatch(
            self._sessions.log_in,
            username=body["username"],
            password=body["password"],
            address=self._address_of(req),
        )
        _answer_login(resp, login)

    async def on_post_verify_token(self, req: Request, resp: Response) -> None:
        principal = await self._authenticator.authenticate(req, await read_body(req, _TOKEN))
        send_json(resp, schemas.identity_answer(principal.user))

    async def on_post_logout(self, req: Request, resp: Response) -> None:
        principal = await self._authenticator.authenticate(req, await read_body(req, _TOKEN))
        user = await self._dispatch(
            self._sessions.log_out, principal, address=self._address_of(req)
        )
        send_json(resp, schemas.identity_answer(user))

    async def on_post_change_password(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _PASSWORD)
        principal = await self._authenticator.authenticate(req, body)
        login = await self._dispatch(
            self._sessions.change_password,
            principal,
            password=body["password"],
            new_password=body["new_password"],
            address=self._address_of(req),
        )
        _answer_login(resp, login)

    async def on_get_all(self, req: Request, resp: Response) -> None:
        principal = await self._authenticator.authenticate(req, await read_body(req, _TOKEN))
        sessions = await self._dispatch(self._sessions.list_all, principal)
        send_json(resp, schemas.sessions_answer(sessions, principal))

    async def on_delete_all(self, req: Request, resp: Response) -> None:
        principal = await self._authenticator.authenticate(req, await read_body(req, _TOKEN))
        sessions = await self._dispatch(
            self._sessions.end_others, principal, address=self._address_of(req)
        )
        send_json(resp, schemas.sessions_answer(sessions, principal))

    async def on_delete(self, req: Request, resp: Response, session_id: str) -> None:
        principal = await self._authenticator.authenticate(req, await read_body(req, _TOKEN))
        session = await self._dispatch(
            self._sessions.end, principal, session_id, address=self._address_of(req)
        )
        send_json(resp, schemas.session_answer(session, principal))


def _answer_login(resp: Response, login: Login) -> None:
    resp.set_header("Cache-Control", "no-store")
    send_json(resp, schemas.login_answer(login))
