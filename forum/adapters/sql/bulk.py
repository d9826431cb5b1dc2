"""A whole SQL database, for moving it elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

from forum.adapters.sql import audit
from forum.adapters.sql import bulk_statements as statements
from forum.adapters.sql.checks import BadColumn, Checks
from forum.adapters.sql.database import BulkDatabase, Row
from forum.adapters.sql.statements import Statement
from forum.domain.ids import MAX_ID
from forum.domain.model import Account, Article, AuditEntry, Author, Counts, LastIds, Session, User
from forum.domain.moving.copying import UnreadableRow

T = TypeVar("T")

_BEFORE_ALL = -MAX_ID - 1
"""The least key of a column: ids that no row should have are met too, not passed over."""


_COUNTS = (
    statements.COUNT_ACCOUNTS,
    statements.COUNT_ARTICLES,
    statements.COUNT_SESSIONS,
    statements.COUNT_AUDIT_ENTRIES,
)


class SqlBulkStore:
    """An `BulkStore` on a SQL database."""

    def __init__(self, database: BulkDatabase) -> None:
        self._database = database
        self._checks = Checks(database)

    def snapshot(self) -> AbstractContextManager[object]:
        return self._database.snapshot()

    def exclusive(self) -> AbstractContextManager[object]:
        return self._database.exclusive()

    def counts(self) -> Counts:
        return Counts(*map(self._count, _COUNTS))

    def accounts(self) -> Iterator[Account]:
        names: set[str] = set()
        for account in self._read("users", statements.ACCOUNTS, self._account):
            if account.user.username in names:
                raise UnreadableRow("users", account.user.id, "username")
            names.add(account.user.username)
            yield account

    def articles(self) -> Iterator[Article]:
        return self._read("articles", statements.ARTICLES, self._article)

    def sessions(self) -> Iterator[tuple[int, Session]]:
        return self._read("sessions", statements.SESSIONS, self._session)

    def audit_entries(self) -> Iterator[AuditEntry]:
        return self._read("audit_entries", statements.AUDIT_ENTRIES, self._audit_entry)

    def last_ids(self) -> LastIds:
        return LastIds(*map(self._last_id, ("users", "articles", "sessions")))

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        rows = (
            {
                "id": each.user.id,
                "username": each.user.username,
                "date_registered": each.user.date_registered,
                "password_hash": each.password_hash,
                "is_disabled": each.is_disabled,
            }
            for each in accounts
        )
        self._database.write_many(statements.ADD_ACCOUNT, rows)

    def add_articles(self, articles: Iterable[Article]) -> None:
        rows = (
            {
                "id": each.id,
                "title": each.title,
                "text": each.text,
                "date_posted": each.date_posted,
                "user_id": each.author.id,
            }
            for each in articles
        )
        self._database.write_many(statements.ADD_ARTICLE, rows)

    def add_sessions(self, sessions: Iterable[tuple[int, Session]]) -> None:
        rows = (
            {
                "id": each.id,
                "created": each.created,
                "last_used": each.last_used,
                "expires": each.expires,
                "user_id": user_id,
            }
            for user_id, each in sessions
        )
        self._database.write_many(statements.ADD_SESSION, rows)

    def add_audit_entries(self, entries: Iterable[AuditEntry]) -> None:
        rows = ({name: getattr(each, name) for name in audit.COLUMNS} for each in entries)
        self._database.write_many(audit.ADD, rows)

    def raise_last_ids(self, last: LastIds) -> None:
        now = self.last_ids()
        self._database.set_last_id("users", max(now.user, last.user))
        self._database.set_last_id("articles", max(now.article, last.article))
        self._database.set_last_id("sessions", max(now.session, last.session))

    def _account(
        self, id: object, username: object, date: object, password_hash: object, is_disabled: object
    ) -> Account:
        check = self._checks
        registered = check.time("date_registered", date)
        user = User(check.id("id", id), check.text("username", username), registered)
        is_disabled = check.flag("is_disabled", is_disabled)
        return Account(user, check.text("password_hash", password_hash), is_disabled)

    def _article(
        self, id: object, title: object, text: object, date: object, user_id: object, name: object
    ) -> Article:
        check = self._checks
        # A user who is not there has no name.
        author = Author(check.id("user_id", user_id), check.text("user_id", name))
        posted = check.time("date_posted", date)
        words = check.text("title", title), check.text("text", text)
        return Article(check.id("id", id), *words, posted, author)

    def _session(
        self,
        id: object,
        created: object,
        used: object,
        expires: object,
        user: object,
        owner: object,
    ) -> tuple[int, Session]:
        check = self._checks
        if user != owner:
            raise BadColumn("user_id")
        began, last_used = check.time("created", created), check.time("last_used", used)
        session = Session(check.id("id", id), began, last_used, check.time("expires", expires))
        return check.id("user_id", user), session

    def _audit_entry(
        self, id: object, moment: object, event: object, actor: object, user: object, *rest: object
    ) -> AuditEntry:
        check = self._checks
        when = check.time("moment", moment)
        words = check.text("event", event), check.text("actor", actor)
        last = [check.text(*each) for each in zip(audit.COLUMNS[4:], rest, strict=True)]
        return AuditEntry(when, *words, check.id("user_id", user), *last)

    def _count(self, statement: Statement) -> int:
        [(count,)] = self._database.read(statement)
        return int(count)

    def _last_id(self, table: str) -> int:
        try:
            return self._database.last_id(table)
        except (TypeError, ValueError):
            raise UnreadableRow("sqlite_sequence", table) from None

    def _read(self, table: str, batch: Statement, convert: Callable[..., T]) -> Iterator[T]:
        for row in self._rows(batch):
            try:
                value = convert(*row)
            except BadColumn as error:
                raise UnreadableRow(table, row[0], str(error)) from None
            except TypeError:  # The driver could not convert the row.
                raise UnreadableRow(table, row[0]) from None
            yield value

    def _rows(self, batch: Statement) -> Iterator[Row]:
        """All rows of a statement that returns some of those after an id; the id comes first."""
        rows = self._database.read(batch, after=_BEFORE_ALL)
        while rows:
            yield from rows
            rows = self._database.read(batch, after=rows[-1][0])
