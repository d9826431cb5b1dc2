"""What the forum knows: immutable values, times in UTC and aware.

Those that lists are made of are named tuples: they are made in half the time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

WITNESSES = 100
"""Sessions that must have begun after another has expired, before that one is forgotten.

A clock that is wrong for a while would else end sessions that are good when it is right again: a
store knows no time but the one that it is given, so it trusts none that only the latest few logins
gave.
"""

FORGOTTEN = 2
"""Expired sessions that a login forgets, at most: more than it makes, and few if the time is wrong
after all.
"""


@dataclass(frozen=True, slots=True)
class User:
    """What anybody may see of a registered user."""

    id: int
    username: str
    date_registered: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A user together with the stored hash of the password; it never leaves the domain."""

    user: User
    password_hash: str
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """From a login to its end. `last_used` is known to a coarse step only."""

    id: int
    created: datetime
    last_used: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Principal:
    """A user who has proved their identity, and the session that their token names."""

    user: User
    session: Session
    is_touch_due: bool = False
    """Whether it is time to note that the session is in use."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user who has just logged in, and the token that says so from now on."""

    user: User
    token: str


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says: a session, the user whose it is, and until when, to the second."""

    session_id: int
    user_id: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was done to an account, or in its name."""

    moment: datetime
    event: str
    actor: str
    """Who did it: "user 7", or "operator" with a name of the operating system."""
    user_id: int
    username: str
    address: str
    """From where: the address of a client, or the host of an operator."""
    details: str
    """Such as "session=3"; may be empty."""


_WAIT = timedelta(minutes=1)
"""How much later another may have looked at the clock, and counted before: as long as a store may
be waited for at most (`FORUM_STORE_TIMEOUT`).
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """How often something may happen under one name.

    `limit` times in a `window` that begins at the first time.
    """

    key: str
    limit: int
    window: timedelta

    def latest_end(self, now: datetime) -> datetime:
        """When a window ends at the latest that has begun; a later end is that of a wrong clock."""
        return now + self.window + _WAIT


class Author(NamedTuple):
    """The user who wrote an article."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Article:
    """A whole article."""

    id: int
    title: str
    text: str
    date_posted: datetime
    author: Author

    def to_headline(self) -> "Headline":
        """The article as a list shows it."""
        return Headline(self.id, self.title, self.date_posted, self.author)


@dataclass(frozen=True, slots=True)
class Draft:
    """What an author writes."""

    title: str
    text: str

    def to_article(self, id: int, date_posted: datetime, author: Author) -> Article:
        """The article that it becomes."""
        return Article(id, self.title, self.text, date_posted, author)


class Position(NamedTuple):
    """The place of an article in a list, whether it is there (any more) or not."""

    date_posted: datetime
    id: int


class Headline(NamedTuple):
    """An article as a list shows it: all but its text."""

    id: int
    title: str
    date_posted: datetime
    author: Author


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, newest first, and whether another follows."""

    headlines: list[Headline]
    has_next: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each a store has."""

    accounts: int
    articles: int
    sessions: int
    audit_entries: int = 0


@dataclass(frozen=True, slots=True)
class LastIds:
    """The greatest ids that a store has ever given; 0 for none."""

    user: int
    article: int
    session: int = 0
