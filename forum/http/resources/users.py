"""Accounts: making one, looking at one."""

from falcon.asgi import Request, Response

from forum.domain.users import UserService
from forum.http import body_schemas, schemas
from forum.http.answers import send_json, send_public
from forum.http.bodies import read_body
from forum.http.client_address import AddressOf
from forum.http.dispatch import Dispatch

_CREDENTIALS = body_schemas.RegistrationBody()


class Users:
    """Accounts: making one, looking at one."""

    def __init__(self, dispatch: Dispatch, users: UserService, address_of: AddressOf) -> None:
        self._dispatch = dispatch
        self._users = users
        self._address_of = address_of

    async def on_post_register(self, req: Request, resp: Response) -> None:
        body = await read_body(req, _CREDENTIALS)
        user = await self._dispatch(
            self._users.register,
            username=body["username"],
            password=body["password"],
            address=self._address_of(req),
        )
        send_json(resp, schemas.user_answer(user))

    async def on_get(self, req: Request, resp: Response, user_id: str) -> None:
        user = await self._dispatch(self._users.profile, user_id)
        send_public(req, resp, schemas.user_answer(user))
