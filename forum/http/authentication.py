"""Who asks."""

import asyncio
import logging
from typing import Any

from falcon.asgi import Request

from forum.domain.errors import Unavailable
from forum.domain.model import Principal
from forum.domain.sessions import SessionService
from forum.http.bodies import read_token
from forum.http.dispatch import Dispatch
from forum.http.observation import USER_ID

_log = logging.getLogger(__name__)


class Authenticator:
    """Finds out who asks."""

    def __init__(self, dispatch: Dispatch, sessions: SessionService) -> None:
        self._dispatch = dispatch
        self._sessions = sessions
        self._notes: dict[int, asyncio.Task[None]] = {}
        """The sessions whose use is being noted, by id."""

    async def authenticate(self, req: Request, body: dict[str, Any]) -> Principal:
        """Whose token the request carries. Raises `TokenMissing`, `InvalidToken`."""
        principal = await self._dispatch(self._sessions.authenticate, read_token(req, body))
        req.scope[USER_ID] = principal.user.id
        if principal.is_touch_due and principal.session.id not in self._notes:
            self._note_use(principal)
        return principal

    def _note_use(self, principal: Principal) -> None:
        # Beside the request, which must not wait for a writer to finish.
        note = asyncio.create_task(self._touch(principal))
        self._notes[principal.session.id] = note
        note.add_done_callback(lambda _: self._notes.pop(principal.session.id))

    async def _touch(self, principal: Principal) -> None:
        try:
            await self._dispatch(self._sessions.touch, principal)
        except Unavailable as error:  # A later request notes it.
            _log.info("use of a session not noted", extra={"reason": error.reason})
