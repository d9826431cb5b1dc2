"""What the forum needs from outside. Adapters have these shapes and do not inherit from them.

Every repository method raises `Unavailable` when the store cannot answer now; nothing is written then.
Ids are positive and below 2**63. Times are aware and in UTC.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from forum.domain.model import Account, Article, Author, Headline, LastIds, User


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC, to the microsecond."""


class PasswordHasher(Protocol):
    """One-way storage of passwords."""

    def hash(self, password: str) -> str:
        """A salted hash that `verify` accepts for this password and no other."""

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash was made from the password.

        Without a hash, or with one that cannot be read, the answer is False and costs exactly
        as much as a real comparison, so that time tells nobody which names exist.
        """

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than `hash` uses today."""


class Tokens(Protocol):
    """Access tokens that clients keep and cannot forge."""

    def issue(self, user_id: int, expires: datetime) -> str:
        """A token that names the user until the given moment."""

    def read(self, token: str, now: datetime) -> int | None:
        """The user id that a token names; None if it is forged, malformed or expired by `now`."""


class UserRepository(Protocol):
    """The registered users."""

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        """Store a new user under an id never used before. Raises `UsernameTaken`; names are case-sensitive."""

    def find(self, user_id: int) -> User | None:
        """The user with this id, or None."""

    def find_account(self, username: str) -> Account | None:
        """The account with exactly this name, or None."""

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        """Store the new hash if the old one is still in place; do nothing otherwise."""


class ArticleRepository(Protocol):
    """The articles. Lists are ordered by `date_posted`, newest first, then by id, highest first."""

    def add(self, author: Author, title: str, text: str, date_posted: datetime) -> Article | None:
        """Store a new article under an id never used before, or answer None if there is no such author."""

    def find(self, article_id: int) -> Article | None:
        """The article with this id, or None."""

    def find_author_id(self, article_id: int) -> int | None:
        """The id of the user who wrote the article, or None if there is no such article."""

    def latest(self, offset: int, limit: int) -> list[Headline]:
        """At most `limit` headlines of the list, without the first `offset`; empty past the end."""

    def latest_by(self, author_id: int, offset: int, limit: int) -> list[Headline]:
        """As `latest`, of the articles of one author."""

    def update(self, article_id: int, author: Author, title: str, text: str) -> Article | None:
        """Change title and text in one step and answer the new article; None if the author has no such article (any more)."""

    def delete(self, article_id: int, author: Author) -> Article | None:
        """Remove the article in one step and answer what it was; None if the author has no such article (any more)."""


class Archive(Protocol):
    """A whole store, for moving it elsewhere. Everything is read and written inside `view` or `change`."""

    def view(self) -> AbstractContextManager[object]:
        """One consistent sight of the store; others may write meanwhile."""

    def change(self) -> AbstractContextManager[object]:
        """All or nothing: an exception takes back everything that was written inside. Nobody else writes meanwhile."""

    def accounts(self) -> Iterator[Account]:
        """Every account, by id."""

    def articles(self) -> Iterator[Article]:
        """Every article, by id."""

    def last_ids(self) -> LastIds:
        """The ids after which new ones are given."""

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        """Store accounts under the ids that they have."""

    def add_articles(self, articles: Iterable[Article]) -> None:
        """Store articles under the ids that they have, by authors who are there."""

    def raise_last_ids(self, last: LastIds) -> None:
        """Make sure that no id up to these is given again."""
