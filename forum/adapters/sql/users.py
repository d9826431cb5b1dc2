"""Users on a SQL database."""

from datetime import datetime

from peewee import (
    IntegrityError,
    Table,
)

from forum.adapters.sql.database import Database
from forum.adapters.sql.rows import Values, read_all, read_one
from forum.adapters.sql.statements import compile_query, lock, slot
from forum.domain.errors import UsernameTaken
from forum.domain.model import Account, User


class SqlUsers:
    """A `UserRepository` on a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values = Values(database.load_time)
        user, session, article = Table("users"), Table("sessions"), Table("articles")
        own = user.c.id == slot("id")
        public = (user.c.id, user.c.username, user.c.date_registered)
        account = (*public, user.c.password_hash, user.c.is_disabled)
        self._find = compile_query(
            database, user.select(*public).where(user.c.id == slot("id")), "id"
        )
        self._find_account = compile_query(
            database,
            user.select(*account).where(user.c.username == slot("username")),
            "username",
        )
        self._find_all = compile_query(database, user.select(*account).order_by(user.c.id))
        self._add = compile_query(
            database,
            user.insert(
                {
                    user.c.username: slot("username"),
                    user.c.password_hash: slot("hash"),
                    user.c.date_registered: slot("date"),
                }
            ).returning(user.c.id),
            "date", "hash", "username",
        )  # fmt: skip
        self._replace_password_hash = compile_query(
            database,
            user.update({user.c.password_hash: slot("new")})
            .where(user.c.id == slot("id"), user.c.password_hash == slot("old"))
            .returning(user.c.id),
            "new", "id", "old",
        )  # fmt: skip
        self._set_password_hash = compile_query(
            database,
            user.update({user.c.password_hash: slot("new")}).where(own).returning(user.c.id),
            "new", "id",
        )  # fmt: skip
        self._set_disabled = compile_query(
            database,
            user.update({user.c.is_disabled: slot("flag")}).where(own).returning(user.c.id),
            "flag", "id",
        )  # fmt: skip
        self._delete = compile_query(database, user.delete().where(own).returning(user.c.id), "id")
        self._lock = compile_query(
            database, lock(database, user.select(user.c.id).where(own), "FOR UPDATE"), "id"
        )
        self._end_sessions = compile_query(
            database,
            session.delete().where(session.c.user_id == slot("user")).returning(session.c.id),
            "user",
        )
        self._delete_articles = compile_query(
            database,
            article.delete().where(article.c.user_id == slot("user")).returning(article.c.id),
            "user",
        )
        self._hand_articles = compile_query(
            database,
            article.update({article.c.user_id: slot("heir")})
            .where(article.c.user_id == slot("user"))
            .returning(article.c.id),
            "heir", "user",
        )  # fmt: skip

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        moment = self._database.store_time(date_registered)
        try:
            [(id,)] = self._database.write(self._add, moment, password_hash, username)
        except IntegrityError as error:
            raise UsernameTaken from error
        return User(id, username, date_registered)

    def find(self, user_id: int) -> User | None:
        return read_one("users", self._values.user, self._database.read(self._find, user_id))

    def find_account(self, username: str) -> Account | None:
        rows = self._database.read(self._find_account, username)
        return read_one("users", self._values.account, rows)

    def find_all(self) -> list[Account]:
        return read_all("users", self._values.account, self._database.read(self._find_all))

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        self._database.write(self._replace_password_hash, new, user_id, old)

    def change_password_hash(self, user_id: int, new: str, old: str | None = None) -> bool:
        with self._database.all_or_nothing():
            changed = (
                self._database.write(self._set_password_hash, new, user_id)
                if old is None
                else self._database.write(self._replace_password_hash, new, user_id, old)
            )
            if changed:
                self._database.write(self._end_sessions, user_id)
        return bool(changed)

    def set_disabled(self, user_id: int, *, is_disabled: bool) -> None:
        with self._database.all_or_nothing():
            self._database.write(self._set_disabled, is_disabled, user_id)
            if is_disabled:
                self._database.write(self._end_sessions, user_id)

    def delete(self, user_id: int, heir_id: int | None) -> None:
        with self._database.all_or_nothing():
            # Locked, or else an article that is posted meanwhile would be left without an author.
            self._database.read(self._lock, user_id)
            self._database.write(self._end_sessions, user_id)
            if heir_id is None:
                self._database.write(self._delete_articles, user_id)
            else:
                self._database.write(self._hand_articles, heir_id, user_id)
            self._database.write(self._delete, user_id)
