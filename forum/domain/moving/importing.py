"""Moving in from the program that this one replaces, which kept passwords in clear text."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol, TypeGuard

from forum.domain.credentials import is_password, is_username
from forum.domain.model import Account, Article, Author, LastIds, User
from forum.domain.moving.copying import Progress, require_empty
from forum.domain.moving.ports import BulkStore

GREATEST_ID = 2**53
"""The greatest id that is imported: more than any forum gave, and far below those that no store can
go beyond.

After the greatest id of all nobody could register or post any more; above this one, clients that
read JSON as JavaScript does would take one id for another.
"""


@dataclass(frozen=True, slots=True)
class LegacyUser:
    """A user as the older program kept them.

    None for what is missing or cannot be read, an id as it was found.
    """

    id: object
    username: str | None
    password: str | None
    date_registered: datetime | None


@dataclass(frozen=True, slots=True)
class LegacyArticle:
    """An article as the old program kept it.

    None for what is missing or cannot be read, ids as they were found.
    """

    id: object
    title: str | None
    text: str | None
    date_posted: datetime | None
    user_id: object
    has_replacements: bool = False
    """Whether characters that no store can keep were replaced in the title or the text."""


class LegacyForum(Protocol):
    """The old program's data, in one consistent state."""

    def users(self) -> list[LegacyUser]:
        """Every user, by id."""

    def articles(self) -> list[LegacyArticle]:
        """Every article, by id."""


class Reason(Enum):
    """Why a person should look at something of the older program."""

    USER_UNREADABLE = auto()
    """Not imported: the id, the name or the date cannot be read."""
    USER_ID_TOO_GREAT = auto()
    """Not imported: the id is above `GREATEST_ID`."""
    NAME_TAKEN = auto()
    """Not imported: an earlier user has the same name; `other` is the id."""
    BAD_NAME = auto()
    """Imported, but cannot log in: the name breaks the rules of today."""
    BAD_PASSWORD = auto()
    """Imported, but cannot log in: the password breaks the rules of today."""
    AUTHOR_MISSING = auto()
    """An article that was not imported, since its author was not; `other` is the author's id."""
    ARTICLE_UNREADABLE = auto()
    """Not imported: the id or the date cannot be read."""
    ARTICLE_ID_TOO_GREAT = auto()
    """Not imported: the id is above `GREATEST_ID`."""
    CHARACTERS_REPLACED = auto()
    """Imported with replacements for characters that no store can keep."""


@dataclass(frozen=True, slots=True)
class LegacyWarning:
    """Something that was not imported, or will not work as it did. Ids are as they were found."""

    reason: Reason
    id: object
    username: str | None = None
    other: object = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import: how many of each, and all that needs a person's eye."""

    users: int
    articles: int
    warnings: list[LegacyWarning]
    was_done_before: bool = False


HashAll = Callable[[Iterable[str]], Generator[str, None, None]]
"""The hashes of passwords, in the order of these, computed at the same time where there are several
processors.

Closed early, it computes no more.
"""


def import_forum(
    old: LegacyForum, target: BulkStore, hash_all: HashAll, progress: Progress
) -> ImportReport:
    """Put the old program's users and articles into an empty store.

    Same ids, dates, authors and passwords. All or nothing. A store that has the same users already
    is left as it is. Whatever cannot be imported, or will not work as it did, is remarked on.
    Raises `StoreNotEmpty`.
    """
    warnings: list[LegacyWarning] = []
    users = list(_importable_users(old.users(), warnings))
    authors = {user.id: Author(user.id, user.username) for user, _ in users}
    articles = list(_importable_articles(old.articles(), authors, warnings))
    with target.exclusive():
        if _has(target, [user for user, _ in users]):
            return ImportReport(len(users), len(articles), warnings, was_done_before=True)
        require_empty(target)
        with closing(hash_all(password for _, password in users)) as hashes:
            accounts = (Account(user, hash) for (user, _), hash in zip(users, hashes, strict=True))
            target.add_accounts(progress("users", accounts, len(users)))
        target.add_articles(progress("articles", articles, len(articles)))
        target.raise_last_ids(
            LastIds(max(authors, default=0), max((a.id for a in articles), default=0))
        )
    return ImportReport(len(users), len(articles), warnings)


def _has(target: BulkStore, users: list[User]) -> bool:
    return bool(users) and [account.user for account in target.accounts()][: len(users)] == users


def _importable_users(
    old_users: Iterable[LegacyUser], warnings: list[LegacyWarning]
) -> Iterator[tuple[User, str]]:
    names: dict[str, int] = {}
    for old in old_users:

        def warn(reason: Reason, other: object = None, old: LegacyUser = old) -> None:
            warnings.append(LegacyWarning(reason, old.id, old.username, other))

        if not _is_id(old.id) or old.username is None or old.date_registered is None:
            warn(Reason.USER_UNREADABLE)
        elif old.id > GREATEST_ID:
            warn(Reason.USER_ID_TOO_GREAT)
        elif old.username in names:
            warn(Reason.NAME_TAKEN, names[old.username])
        else:
            names[old.username] = old.id
            if not is_username(old.username):
                warn(Reason.BAD_NAME)
            if not is_password(old.password):
                warn(Reason.BAD_PASSWORD)
            yield User(old.id, old.username, old.date_registered), old.password or ""


def _importable_articles(
    old_articles: Iterable[LegacyArticle],
    authors: dict[int, Author],
    warnings: list[LegacyWarning],
) -> Iterator[Article]:
    for old in old_articles:
        author = authors.get(old.user_id) if _is_id(old.user_id) else None
        if author is None:
            warnings.append(LegacyWarning(Reason.AUTHOR_MISSING, old.id, other=old.user_id))
        elif not _is_id(old.id) or old.date_posted is None:
            warnings.append(LegacyWarning(Reason.ARTICLE_UNREADABLE, old.id))
        elif old.id > GREATEST_ID:
            warnings.append(LegacyWarning(Reason.ARTICLE_ID_TOO_GREAT, old.id))
        else:
            if old.has_replacements:
                warnings.append(LegacyWarning(Reason.CHARACTERS_REPLACED, old.id))
            yield Article(old.id, old.title or "", old.text or "", old.date_posted, author)


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and value > 0
