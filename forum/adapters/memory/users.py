"""Users in memory."""

from dataclasses import replace
from datetime import datetime

from forum.adapters.memory.tables import MemoryStore
from forum.domain.errors import UsernameTaken
from forum.domain.model import (
    Account,
    Author,
    User,
)


class MemoryUsers:
    """A `UserRepository` in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def add(self, username: str, password_hash: str, date_registered: datetime) -> User:
        with self._store.lock:
            if self.find_account(username):
                raise UsernameTaken
            # Counted, not looked up: an id is never used again, not even that of the last one.
            self._store.last = replace(self._store.last, user=self._store.last.user + 1)
            user = User(self._store.last.user, username, date_registered)
            self._store.accounts[user.id] = Account(user, password_hash)
            return user

    def find(self, user_id: int) -> User | None:
        account = self._store.accounts.get(user_id)
        return account.user if account else None

    def find_account(self, username: str) -> Account | None:
        with self._store.lock:
            accounts = self._store.accounts.values()
            return next((each for each in accounts if each.user.username == username), None)

    def find_all(self) -> list[Account]:
        with self._store.lock:
            return [account for _, account in sorted(self._store.accounts.items())]

    def replace_password_hash(self, user_id: int, old: str, new: str) -> None:
        with self._store.lock:
            account = self._store.accounts.get(user_id)
            if account and account.password_hash == old:
                self._store.accounts[user_id] = replace(account, password_hash=new)

    def change_password_hash(self, user_id: int, new: str, old: str | None = None) -> bool:
        with self._store.lock:
            account = self._store.accounts.get(user_id)
            if account is None or old not in (None, account.password_hash):
                return False
            self._store.accounts[user_id] = replace(account, password_hash=new)
            self._end_sessions(user_id)
            return True

    def set_disabled(self, user_id: int, *, is_disabled: bool) -> None:
        with self._store.lock:
            account = self._store.accounts.get(user_id)
            if account is None:
                return
            self._store.accounts[user_id] = replace(account, is_disabled=is_disabled)
            if is_disabled:
                self._end_sessions(user_id)

    def delete(self, user_id: int, reassign_to: int | None) -> None:
        with self._store.lock:
            self._end_sessions(user_id)
            for article in [a for a in self._store.articles.values() if a.author.id == user_id]:
                if reassign_to is None:
                    del self._store.articles[article.id]
                else:
                    heir = self._store.accounts[reassign_to].user
                    author = Author(heir.id, heir.username)
                    self._store.articles[article.id] = replace(article, author=author)
            self._store.accounts.pop(user_id, None)

    def _end_sessions(self, user_id: int) -> None:
        for id in [id for id, (owner, _) in self._store.sessions.items() if owner == user_id]:
            del self._store.sessions[id]
