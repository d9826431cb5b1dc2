"""What operators do to accounts."""

from contextlib import AbstractContextManager

from forum.domain.audit import Act, Auditor
from forum.domain.credentials import random_password
from forum.domain.model import Account, Session, User
from forum.domain.ports import Clock, PasswordHasher, SessionRepository, UserRepository


class NoSuchUsername(Exception):
    """No user has this name."""

    def __init__(self, username: str) -> None:
        super().__init__(username)
        self.username = username


class Administration:
    """Operators act by user names.

    Every method raises `NoSuchUsername` for a name that no user has.
    """

    def __init__(
        self,
        users: UserRepository,
        sessions: SessionRepository,
        hasher: PasswordHasher,
        clock: Clock,
        auditor: Auditor,
        host: str,
    ) -> None:
        """`host` is the name of the machine from which an operator acts."""
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._clock = clock
        self._auditor = auditor
        self._host = host

    def list_all(self) -> list[Account]:
        """Every account, by id."""
        return self._users.find_all()

    def show(self, username: str) -> tuple[Account, list[Session]]:
        """An account, and its sessions."""
        account = self._find(username)
        return account, self._sessions.find_all(account.user.id, self._clock.now())

    def disable(self, username: str) -> None:
        """End the user's sessions and refuse their logins."""
        user = self._find(username).user
        with self._acting("user disabled", user):
            self._users.set_disabled(user.id, is_disabled=True)

    def enable(self, username: str) -> None:
        """Let the user log in again."""
        user = self._find(username).user
        with self._acting("user enabled", user):
            self._users.set_disabled(user.id, is_disabled=False)

    def reset_password(self, username: str) -> str:
        """End the user's sessions and return a new random password."""
        user, password = self._find(username).user, random_password()
        password_hash = self._hasher.hash(password)
        with self._acting("password reset", user):
            self._users.change_password_hash(user.id, password_hash)
        return password

    def log_out(self, username: str) -> int:
        """End the user's sessions and return how many there were."""
        user = self._find(username).user
        with self._acting("sessions ended", user) as act:
            ended = self._sessions.end_all(user.id)
            act.add(number=len(ended))
        return len(ended)

    def delete(self, username: str, reassign_to: str | None) -> None:
        """Remove the user, and their articles too, unless those are reassigned to another."""
        new_author = None if reassign_to is None else self._find(reassign_to).user
        user = self._find(username).user
        with self._acting("user deleted", user) as act:
            self._users.delete(user.id, new_author.id if new_author else None)
            if new_author:
                act.add(reassign_to=new_author.id)

    def _acting(self, event: str, user: User) -> AbstractContextManager[Act]:
        return self._auditor.act(event, self._clock.now(), user, self._host)

    def _find(self, username: str) -> Account:
        account = self._users.find_account(username)
        if account is None:
            raise NoSuchUsername(username)
        return account
