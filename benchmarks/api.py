"""What a server must offer to be measured, in its own words."""

from typing import Any, Protocol

PASSWORD = "Password#1"


class Api(Protocol):
    """The paths and the requests of a server.

    Users and articles are named by numbers from 1 on, in the order in which they were filled in. A
    path is another one in each `lap`, where the server might remember the one before.
    """

    deleted: int
    """The status where an article was removed."""
    has_tags: bool
    """Whether it answers what a client knows already with a 304."""

    def latest(self) -> str:
        """The list of the latest articles."""

    def page(self, number: int, lap: int = 0) -> str:
        """A page of that list."""

    def older(self, article: int, lap: int = 0) -> str:
        """The articles that come after this one in that list."""

    def article(self, number: int, lap: int = 0) -> str:
        """A whole article, with the name of its author."""

    def user(self, number: int, lap: int = 0) -> str:
        """A user."""

    def latest_of(self, user: int, lap: int = 0) -> str:
        """The list of a user's latest articles."""

    def registration(self, name: str) -> bytes:
        """The request that makes a user."""

    def login(self, name: str) -> bytes:
        """The request that logs the user in."""

    def identity(self, answer: dict[str, Any]) -> tuple[Any, str]:
        """The id and the token in the answer to a login."""

    def verification(self, token: str) -> bytes | None:
        """The request whose token this is; None where there is no such route."""

    def post(self, user: Any, token: str) -> bytes:
        """The request that makes an article."""

    def edit(self, article: Any, token: str) -> bytes:
        """The request that changes one."""

    def deletion(self, article: Any, token: str) -> bytes:
        """The request that removes one."""
