"""The JSON that comes in: shapes only, since what values must be is for the domain."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from forum.domain.credentials import PASSWORD, USERNAME


class Body(Schema):
    """What clients send: absent fields are None, fields that nobody asked for are dropped."""

    class Meta:
        unknown = EXCLUDE


def _sent(pattern: str | None = None, **options: Any) -> fields.Raw:
    """A field that should be a string, which the domain judges: here it may be anything."""
    shape = {"type": "string"} | ({"pattern": f"^{pattern}$"} if pattern else {})
    return fields.Raw(load_default=None, allow_none=True, metadata=shape, **options)


class CredentialsBody(Body):
    """The body of `/login`."""

    username = _sent()
    password = _sent()


class RegistrationBody(CredentialsBody):
    """The body of `/register`."""

    username = _sent(USERNAME)
    password = _sent(PASSWORD)


class TokenBody(Body):
    """The body of everything that asks who the client is."""

    access_token = _sent(data_key="access-token")


class PasswordBody(TokenBody):
    """The body of `/change-password`."""

    password = _sent()
    new_password = _sent(PASSWORD, data_key="new-password")


class ArticleBody(TokenBody):
    """The body of a new or an edited article."""

    title = _sent()
    text = _sent()
