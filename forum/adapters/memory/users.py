"""Users in memory."""

from dataclasses import replace
from datetime import datetime

from forum.adapters.memory.tables import MemoryTables
from forum.domain.errors import UsernameTaken
from forum.domain.model import (
    Account,
    Author,
    User,
)


class MemoryUsers:
    """A `UserRepository` in memory."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        with self._tables.change():
            if self.find_account(username):
                raise UsernameTaken
            # Counted, not looked up: an id is never used again, not even that of the last one.
            self._tables.last = replace(self._tables.last, user=self._tables.last.user + 1)
            user = User(self._tables.last.user, username, date_registered)
            self._tables.accounts[user.id] = Account(user, password_hash)
            return user

    def find(self, user_id: int) -> User | None:
        account = self._tables.accounts.get(user_id)
        return account.user if account else None

    def find_account(self, username: str) -> Account | None:
        with self._tables.lock:
            accounts = self._tables.accounts.values()
            return next((each for each in accounts if each.user.username == username), None)

    def find_all(self) -> list[Account]:
        with self._tables.lock:
            return [account for _, account in sorted(self._tables.accounts.items())]

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        with self._tables.change():
            account = self._tables.accounts.get(user_id)
            if account and account.password_hash == old:
                self._tables.accounts[user_id] = replace(account, password_hash=new)

    def change_password_hash(self, user_id: int, new: str, old: str | None = None) -> bool:
        with self._tables.change():
            account = self._tables.accounts.get(user_id)
            if account is None or old not in (None, account.password_hash):
                return False
            self._tables.accounts[user_id] = replace(account, password_hash=new)
            self._end_sessions(user_id)
            return True

    def set_disabled(self, user_id: int, *, is_disabled: bool) -> None:
        with self._tables.change():
            account = self._tables.accounts.get(user_id)
            if account is None:
                return
            self._tables.accounts[user_id] = replace(account, is_disabled=is_disabled)
            if is_disabled:
                self._end_sessions(user_id)

    def delete(self, user_id: int, reassign_to: int | None) -> None:
        with self._tables.change():
            self._end_sessions(user_id)
            for article in [a for a in self._tables.articles.values() if a.author.id == user_id]:
                if reassign_to is None:
                    del self._tables.articles[article.id]
                else:
                    owner = self._tables.accounts[reassign_to].user
                    author = Author(owner.id, owner.username)
                    self._tables.articles[article.id] = replace(article, author=author)
            self._tables.accounts.pop(user_id, None)

    def _end_sessions(self, user_id: int) -> None:
        for id in [id for id, (owner, _) in self._tables.sessions.items() if owner == user_id]:
            del self._tables.sessions[id]
