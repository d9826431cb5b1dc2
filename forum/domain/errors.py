"""The refusals of the forum. They carry data; sentences and status codes belong to the edge."""


class Refusal(Exception):
    """Base of everything the forum answers instead of doing what it was asked."""


class UsernameMissing(Refusal):
    """No username was given."""


class PasswordMissing(Refusal):
    """No password was given."""


class BadUsername(Refusal):
    """The username breaks the rules of `is_username`."""


class BadPassword(Refusal):
    """The password breaks the rules of `is_password`."""


class UsernameTaken(Refusal):
    """Another user has exactly this name."""


class WrongCredentials(Refusal):
    """No user has this name, or the password is another. Which of the two is not told."""


class TokenMissing(Refusal):
    """No access token was given."""


class InvalidToken(Refusal):
    """The access token is forged, expired or malformed.

    Or its session was ended, or its user is gone or disabled.
    """


class NewPasswordMissing(Refusal):
    """No new password was given."""


class BadNewPassword(Refusal):
    """The new password breaks the rules of `is_password`."""


class WrongPassword(Refusal):
    """The password is not that of the user who says so."""


class SessionNotFound(Refusal):
    """The user has no session with this id. The id is kept as the client sent it."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id


class TooManyRequests(Refusal):
    """The same was done too often. `retry_after` is how many seconds the client should wait."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class UserNotFound(Refusal):
    """No user has this id. The id is kept as the client sent it."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id


class ArticleNotFound(Refusal):
    """No article has this id. The id is kept as the client sent it."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id


class NotTheAuthor(Refusal):
    """The article belongs to another user. `action` is what was asked: "edit" or "delete"."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class BadBefore(Refusal):
    """The place from which a list shall go on is none."""


class TitleMissing(Refusal):
    """No title was given, or nothing but white space."""


class TextMissing(Refusal):
    """No text was given, or nothing but white space."""


class BadTitle(Refusal):
    """The title is no string, too long, or has a character that not every store can keep."""


class BadText(Refusal):
    """The text is no string, too long, or has a character that not every store can keep."""


class Unavailable(Refusal):
    """The forum cannot answer now, for no fault of the client.

    A store is down, full, locked or read-only, or too many are waiting.
    """

    def __init__(self, reason: str = "the store cannot answer") -> None:
        """The reason is for the log, not for clients."""
        super().__init__(reason)
        self.reason = reason
