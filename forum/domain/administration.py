"""What operators do to accounts."""

from forum.domain.credentials import random_password
from forum.domain.errors import UserNotFound
from forum.domain.model import Account, Session
from forum.domain.ports import Clock, Events, PasswordHasher, SessionRepository, UserRepository


class Administration:
    """Operators act by user names. Every method raises `UserNotFound` with a name that nobody has."""

    def __init__(
        self,
        users: UserRepository,
        sessions: SessionRepository,
        hasher: PasswordHasher,
        clock: Clock,
        events: Events,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._clock = clock
        self._events = events

    def list_all(self) -> list[Account]:
        """Every account, by id."""
        return self._users.find_all()

    def show(self, username: str) -> tuple[Account, list[Session]]:
        """An account, and its sessions."""
        account = self._find(username)
        return account, self._sessions.find_all(account.user.id, self._clock.now())

    def disable(self, username: str) -> None:
        """End the user's sessions and let him log in no more."""
        self._users.set_disabled(self._id(username), is_disabled=True)
        self._events.record("user disabled", username=username)

    def enable(self, username: str) -> None:
        """Let the user log in again."""
        self._users.set_disabled(self._id(username), is_disabled=False)
        self._events.record("user enabled", username=username)

    def reset_password(self, username: str) -> str:
        """End the user's sessions and answer a new random password."""
        password = random_password()
        self._users.change_password_hash(self._id(username), self._hasher.hash(password))
        self._events.record("password reset", username=username)
        return password

    def log_out(self, username: str) -> int:
        """End the user's sessions and answer how many there were."""
        ended = self._sessions.end_all(self._id(username))
        self._events.record("sessions ended", username=username, number=len(ended))
        return len(ended)

    def delete(self, username: str, heir: str | None) -> None:
        """Remove the user, and his articles too, unless an heir gets them."""
        reassign_to = None if heir is None else self._id(heir)
        self._users.delete(self._id(username), reassign_to)
        self._events.record("user deleted", username=username, heir=heir)

    def _id(self, username: str) -> int:
        return self._find(username).user.id

    def _find(self, username: str) -> Account:
        account = self._users.find_account(username)
        if account is None:
            raise UserNotFound(username)
        return account
