"""What the forum knows: immutable values, times in UTC and aware."""

from dataclasses import dataclass
from datetime import datetime


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


@dataclass(frozen=True, slots=True)
class Session:
    """A user who has just proved who he is, and the token that says so from now on."""

    user: User
    token: str


@dataclass(frozen=True, slots=True)
class Author:
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


@dataclass(frozen=True, slots=True)
class Headline:
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
class LastIds:
    """The greatest ids that a store has ever given; 0 for none."""

    user: int
    article: int
