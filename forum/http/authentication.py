"""Who asks."""

import asyncio
from contextlib import suppress
from typing import Any

from falcon.asgi import Request

from forum.domain.errors import Unavailable
from forum.domain.model import Visitor
from forum.domain.sessions import SessionService
from forum.http.bodies import read_token
from forum.http.dispatch import Dispatch


class Visitors:
    """Finds out who asks."""

    def __init__(self, dispatch: Dispatch, sessions: SessionService) -> None:
        self._dispatch = dispatch
        self._sessions = sessions
        self._notes: dict[int, asyncio.Task[None]] = {}
        """The sessions whose use is being noted, by id."""

    async def identify(self, req: Request, body: dict[str, Any]) -> Visitor:
        """Whose token the request carries. Raises `TokenMissing`, `InvalidToken`."""
        visitor = await self._dispatch(self._sessions.authenticate, read_token(req, body))
        if visitor.is_touch_due and visitor.session.id not in self._notes:
            self._note_use(visitor)
        return visitor

    def _note_use(self, visitor: Visitor) -> None:
        # Beside the request, which must not wait for a writer to finish.
        note = asyncio.create_task(self._touch(visitor))
        self._notes[visitor.session.id] = note
        note.add_done_callback(lambda _: self._notes.pop(visitor.session.id))

    async def _touch(self, visitor: Visitor) -> None:
        with suppress(Unavailable):  # A later request notes it.
            await self._dispatch(self._sessions.touch, visitor)
