"""What operators do to accounts."""

from forum.domain.credentials import random_password
from forum.domain.model import Account, Session
from forum.domain.ports import AuditLog, Clock, PasswordHasher, SessionRepository, UserRepository


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
        audit_log: AuditLog,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._clock = clock
        self._audit_log = audit_log

    def list_all(self) -> list[Account]:
        """Every account, by id."""
        return self._users.find_all()

    def show(self, username: str) -> tuple[Account, list[Session]]:
        """An account, and its sessions."""
        account = self._find(username)
        return account, self._sessions.find_all(account.user.id, self._clock.now())

    def disable(self, username: str) -> None:
        """End the user's sessions and refuse their logins."""
        self._users.set_disabled(self._id(username), is_disabled=True)
        self._audit_log.record("user disabled", username=username)

    def enable(self, username: str) -> None:
        """Let the user log in again."""
        self._users.set_disabled(self._id(username), is_disabled=False)
        self._audit_log.record("user enabled", username=username)

    def reset_password(self, username: str) -> str:
        """End the user's sessions and return a new random password."""
        password = random_password()
        self._users.change_password_hash(self._id(username), self._hasher.hash(password))
        self._audit_log.record("password reset", username=username)
        return password

    def log_out(self, username: str) -> int:
        """End the user's sessions and return how many there were."""
        ended = self._sessions.end_all(self._id(username))
        self._audit_log.record("sessions ended", username=username, number=len(ended))
        return len(ended)

    def delete(self, username: str, reassign_to: str | None) -> None:
        """Remove the user, and their articles too, unless those are reassigned to another."""
        new_author = None if reassign_to is None else self._id(reassign_to)
        self._users.delete(self._id(username), new_author)
        self._audit_log.record("user deleted", username=username, reassign_to=reassign_to)

    def _id(self, username: str) -> int:
        return self._find(username).user.id

    def _find(self, username: str) -> Account:
        account = self._users.find_account(username)
        if account is None:
            raise NoSuchUsername(username)
        return account
