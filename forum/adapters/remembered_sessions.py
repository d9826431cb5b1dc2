"""Sessions that were asked for a moment ago, without the store."""

from collections.abc import Callable
from datetime import datetime

from forum.domain.model import Principal, TokenClaims
from forum.domain.ports import SessionRepository

_MOST = 4096
"""Principals that are remembered, in about 1 KiB each."""


class RememberedSessions:
    """A `SessionRepository` that remembers whom it has found, while nothing is written anywhere.

    For a store that is read on one thread, the event loop. The version is asked before the store
    is: what is remembered under one is at least as new.
    """

    def __init__(self, sessions: SessionRepository, version: Callable[[], object | None]) -> None:
        """`version` is another one as soon as anything was committed, or None: not known."""
        self._sessions = sessions
        self._ask_version = version
        self._version: object | None = None
        self._found: dict[TokenClaims, Principal] = {}
        self.begin = sessions.begin
        self.find_all = sessions.find_all
        self.touch = sessions.touch
        self.end = sessions.end
        self.end_all = sessions.end_all

    def find(self, claims: TokenClaims, now: datetime) -> Principal | None:
        version = self._ask_version()
        if version is None or version != self._version or len(self._found) >= _MOST:
            self._version = version
            self._found.clear()
        known = self._found.get(claims)
        if known:
            return known if known.session.expires > now else None
        principal = self._sessions.find(claims, now)
        if principal and version is not None:
            self._found[claims] = principal
        return principal
