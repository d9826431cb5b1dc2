"""Users on a SQL database."""

from datetime import datetime
from functools import partial

from peewee import IntegrityError

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import read_all, read_one, require_text
from forum.adapters.sql.statements import LockingSelect, Statement, param
from forum.adapters.sql.tables import articles, sessions, users
from forum.domain.errors import UsernameTaken
from forum.domain.model import Account, User

_PUBLIC = (users.c.id, users.c.username, users.c.date_registered)
_ACCOUNT = (*_PUBLIC, users.c.password_hash, users.c.is_disabled)

FIND = Statement(users.select(*_PUBLIC).where(users.c.id == param("id")))
FIND_ACCOUNT = Statement(users.select(*_ACCOUNT).where(users.c.username == param("username")))
FIND_ALL = Statement(users.select(*_ACCOUNT).order_by(users.c.id))
ADD = Statement(
    users.insert(
        {
            users.c.username: param("username"),
            users.c.password_hash: param("password_hash"),
            users.c.date_registered: param("date_registered"),
        }
    ).returning(users.c.id)
)
REPLACE_PASSWORD_HASH = Statement(
    users.update({users.c.password_hash: param("new")})
    .where(users.c.id == param("id"), users.c.password_hash == param("old"))
    .returning(users.c.id)
)
SET_PASSWORD_HASH = Statement(
    users.update({users.c.password_hash: param("new")})
    .where(users.c.id == param("id"))
    .returning(users.c.id)
)
SET_DISABLED = Statement(
    users.update({users.c.is_disabled: param("is_disabled")}).where(users.c.id == param("id"))
)
LOCK = Statement(
    LockingSelect(users, users.c.id).where(users.c.id == param("id")).locking("FOR UPDATE")
)
DELETE = Statement(users.delete().where(users.c.id == param("id")))
END_SESSIONS = Statement(sessions.delete().where(sessions.c.user_id == param("user_id")))
DELETE_ARTICLES = Statement(articles.delete().where(articles.c.user_id == param("user_id")))
REASSIGN_ARTICLES = Statement(
    articles.update({articles.c.user_id: param("reassign_to")}).where(
        articles.c.user_id == param("user_id")
    )
)


class SqlUsers:
    """A `UserRepository` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._user = partial(user_of, database)

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        try:
            [(id,)] = self._database.write(
                ADD,
                username=username,
                password_hash=password_hash,
                date_registered=date_registered,
            )
        except IntegrityError as error:
            raise UsernameTaken from error
        return User(id, username, date_registered)

    def find(self, user_id: int) -> User | None:
        return read_one("users", self._user, self._database.read(FIND, id=user_id))

    def find_account(self, username: str) -> Account | None:
        rows = self._database.read(FIND_ACCOUNT, username=username)
        return read_one("users", self._account, rows)

    def find_all(self) -> list[Account]:
        return read_all("users", self._account, self._database.read(FIND_ALL))

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        self._database.write(REPLACE_PASSWORD_HASH, id=user_id, old=old, new=new)

    def change_password_hash(self, user_id: int, new: str, old: str | None = None) -> bool:
        with self._database.transaction():
            changed = (
                self._database.write(SET_PASSWORD_HASH, id=user_id, new=new)
                if old is None
                else self._database.write(REPLACE_PASSWORD_HASH, id=user_id, old=old, new=new)
            )
            if changed:
                self._database.write(END_SESSIONS, user_id=user_id)
        return bool(changed)

    def set_disabled(self, user_id: int, *, is_disabled: bool) -> None:
        with self._database.transaction():
            self._database.write(SET_DISABLED, id=user_id, is_disabled=is_disabled)
            if is_disabled:
                self._database.write(END_SESSIONS, user_id=user_id)

    def delete(self, user_id: int, reassign_to: int | None) -> None:
        with self._database.transaction():
            # Locked, or an article that is posted at this moment would be left without an author.
            self._database.read(LOCK, id=user_id)
            self._database.write(END_SESSIONS, user_id=user_id)
            if reassign_to is None:
                self._database.write(DELETE_ARTICLES, user_id=user_id)
            else:
                self._database.write(REASSIGN_ARTICLES, user_id=user_id, reassign_to=reassign_to)
            self._database.write(DELETE, id=user_id)

    def _account(
        self, id: int, username: object, date: object, password_hash: object, is_disabled: object
    ) -> Account:
        user = self._user(id, username, date)
        return Account(user, require_text(password_hash), bool(is_disabled))


def user_of(database: Database, id: int, username: object, date_registered: object) -> User:
    """The user in these columns. Raises one of `UNREADABLE`."""
    return User(id, require_text(username), database.from_stored(date_registered))
