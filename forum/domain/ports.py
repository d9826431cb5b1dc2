"""What the forum needs from outside. Adapters have these shapes and do not inherit from them.

Every repository method raises `Unavailable` when the store cannot answer now, or has something that
cannot be read where one thing is asked for; nothing is written then. Lists leave it out.
Ids are positive and below 2**63. Times are aware and in UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from forum.domain.model import (
    Account,
    Article,
    AuditEntry,
    Author,
    Draft,
    Headline,
    Position,
    Principal,
    Quota,
    Session,
    TokenClaims,
    User,
)

MIN_SECRET_BYTES = 32
"""Of a secret that signs tokens: RFC 7518, section 3.2, forbids fewer for HS256."""


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

        Without a hash, or with one that cannot be read, the result is False and costs exactly
        as much as a real comparison, so that time does not reveal which names exist.
        """

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than `hash` uses today."""


class Tokens(Protocol):
    """Access tokens that clients keep and cannot forge."""

    def require_secret(self) -> None:
        """Raise `Unavailable` while there is no secret to sign with."""

    def issue(self, claims: TokenClaims) -> str:
        """A token that says so. Raises `Unavailable` as `require_secret` does."""

    def read(self, token: str) -> TokenClaims | None:
        """What a token says, also when it has expired; None if it is forged or malformed.

        Raises `Unavailable` as `require_secret` does.
        """


class AuditLog(Protocol):
    """Where everything goes that bears on security, once each."""

    def record(self, event: str, **details: object) -> None:
        """Keep an event, such as "login failed", and what is known of it.

        Never a password, a token or a hash.
        """


class AuditTrail(Protocol):
    """The history of accounts. It outlives them."""

    def add(self, entry: AuditEntry, forget_before: datetime) -> None:
        """Keep an entry, and forget some of those that are older than that moment."""

    def latest(self, username: str | None, limit: int) -> list[AuditEntry]:
        """The latest entries, of all accounts or of those of one name, the latest first."""


class RateCounters(Protocol):
    """How often things happened, exactly, over all processes and machines that share the store."""

    def acquire(self, quotas: Sequence[Quota], now: datetime) -> datetime | None:
        """Count one more under each quota and return None.

        Or count nothing, if one of them is used up, and return when it is free again.
        """

    def refund(self, quotas: Sequence[Quota], now: datetime) -> None:
        """Count one less under each, where its window still lasts."""


class SessionRepository(Protocol):
    """The sessions that have begun and were not ended; some may have expired."""

    def begin(self, account: Account, created: datetime, expires: datetime) -> Session | None:
        """Store a new session under an id never used before.

        None if the account is gone by now or disabled, or has another password hash. Sessions of
        anybody that had expired both by `created` and before the newest `WITNESSES` began are
        forgotten on the way, the oldest first, and at most `FORGOTTEN`.
        """

    def find(self, claims: TokenClaims, now: datetime) -> Principal | None:
        """The session and its user.

        None if it was ended, has expired by `now`, is another's, or the user is disabled.
        """

    def find_all(self, user_id: int, now: datetime) -> list[Session]:
        """The user's sessions that have not expired by `now`, the newest first."""

    def touch(self, session_id: int, now: datetime) -> None:
        """Note that the session was used; do nothing if it is gone."""

    def end(self, session_id: int, user_id: int) -> Session | None:
        """Forget the session and return what it was.

        None if the user has no such session (any more).
        """

    def end_all(self, user_id: int, but: int | None = None) -> list[Session]:
        """Forget all the user's sessions, except perhaps one, and return what they were."""


class UserRepository(Protocol):
    """The registered users."""

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        """Store a new user under an id never used before.

        Raises `UsernameTaken`; names are case-sensitive.
        """

    def find(self, user_id: int) -> User | None:
        """The user with this id, or None."""

    def find_account(self, username: str) -> Account | None:
        """The account with exactly this name, or None."""

    def find_all(self) -> list[Account]:
        """Every account, by id."""

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        """Store the new hash of the same password if the old one is still in place.

        Do nothing otherwise.
        """

    def change_password_hash(self, user_id: int, new: str, old: str | None = None) -> bool:
        """Store the new hash and end all the user's sessions, in one step.

        If an old one is given and is not in place any more, do nothing and return False.
        """

    def set_disabled(self, user_id: int, *, is_disabled: bool) -> None:
        """Let the user in, or keep them out and end their sessions; do nothing if they are gone."""

    def delete(self, user_id: int, reassign_to: int | None) -> None:
        """Remove the user, the sessions and the articles in one step, or reassign the articles."""


class ArticleRepository(Protocol):
    """The articles. Lists are ordered by `date_posted`, newest first, then by id, highest first."""

    def add(self, author: Author, draft: Draft, date_posted: datetime) -> Article | None:
        """Store a new article under an id never used before; None if there is no such author."""

    def find(self, article_id: int) -> Article | None:
        """The article with this id, or None."""

    def find_author_id(self, article_id: int) -> int | None:
        """The id of the user who wrote the article, or None if there is no such article."""

    def latest(self, offset: int, limit: int) -> list[Headline | None]:
        """At most `limit` headlines of the list, without the first `offset`; empty past the end.

        None stands in the place of one that cannot be read.
        """

    def latest_by(self, author_id: int, offset: int, limit: int) -> list[Headline | None]:
        """As `latest`, of the articles of one author."""

    def older(self, than: Position, limit: int) -> list[Headline | None]:
        """At most `limit` headlines of the list, from the first after that position on.

        None as in `latest`.
        """

    def older_by(self, author_id: int, than: Position, limit: int) -> list[Headline | None]:
        """As `older`, of the articles of one author."""

    def update(self, article_id: int, author: Author, draft: Draft) -> Article | None:
        """Replace what the author wrote, in one step, and return the new article.

        None if the author has no such article (any more).
        """

    def delete(self, article_id: int, author: Author) -> Article | None:
        """Remove the article in one step and return what it was.

        None if the author has no such article (any more).
        """
