"""Access tokens as JSON Web Tokens, signed with HS256."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

import jwt

from forum.domain.errors import Unavailable
from forum.domain.ids import parse_id
from forum.domain.model import TokenClaims

_ALGORITHM = "HS256"

_MAX_LENGTH = 4096
"""Characters: no token of ours comes near, and longer ones are not worth a signature."""

_REMEMBERED = 4096
"""Good tokens whose signature is not computed again, in about 1 KiB each."""


_log = logging.getLogger(__name__)


class JwtTokens:
    """`Tokens` signed with the bytes of secrets: a service that shares them can verify them.

    The first secret signs, all of them verify; a token names its own by `key_id`. Our tokens begin
    with one of as many headers as there are secrets; at any other one the secrets are loaded again,
    since another process may have begun to use a new one. What a good token says never changes, so
    it is remembered; whether it has expired is for the domain to say, by a clock of its own.

    Where the secrets cannot be loaded, those that are known stay in use; where none is known, every
    use tries again.
    """

    def __init__(self, load_secrets: Callable[[], Sequence[str]]) -> None:
        self._load_secrets = load_secrets
        self._jwt = jwt.PyJWT(
            {
                "enforce_minimum_key_length": True,
                "require": ["sub", "jti", "exp"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            }
        )
        self._keys: list[_Key] = []
        self._secrets: dict[str, bytes] = {}
        with suppress(Unavailable):  # The first use tries again.
            self.require_secret()

    def require_secret(self) -> None:
        if not self._keys:
            try:
                self._load()
            except OSError as error:
                _log.warning("tokens can be neither made nor read: %s", error)
                raise Unavailable("the secret cannot be used") from error

    def issue(self, claims: TokenClaims) -> str:
        payload = {
            "sub": str(claims.user_id),
            "jti": str(claims.session_id),
            "exp": int(claims.expires.timestamp()),
        }
        self.require_secret()
        return self._jwt.encode(payload, self._keys[0].secret, _ALGORITHM, self._keys[0].header)

    def read(self, token: str) -> TokenClaims | None:
        if len(token) > _MAX_LENGTH or not token.isascii():
            return None
        self.require_secret()
        try:
            return self._decode(token)
        except jwt.PyJWTError:
            return None

    def _decode_anew(self, token: str) -> TokenClaims:
        claims = self._jwt.decode(token, self._secret(token.partition(".")[0]), [_ALGORITHM])
        user_id, session_id = parse_id(claims["sub"]), parse_id(claims["jti"])
        expires = _moment(claims["exp"])
        if user_id is None or session_id is None or expires is None:
            raise jwt.InvalidTokenError
        return TokenClaims(session_id, user_id, expires)

    def _secret(self, header: str) -> bytes:
        if header not in self._secrets:
            with suppress(OSError):  # What is known stays good while the secrets cannot be read.
                self._load()
        if header not in self._secrets:
            raise jwt.InvalidKeyError
        return self._secrets[header]

    def _load(self) -> None:
        self._keys = [_Key(secret) for secret in self._load_secrets()]
        secrets = {self._encoded_header(key): key.secret for key in self._keys}
        if secrets != self._secrets:
            self._secrets = secrets
            self._decode = lru_cache(_REMEMBERED)(self._decode_anew)

    def _encoded_header(self, key: "_Key") -> str:
        return self._jwt.encode({}, key.secret, _ALGORITHM, key.header).partition(".")[0]


class _Key:
    """A secret, and the header of the tokens that it signs."""

    def __init__(self, secret: str) -> None:
        self.secret = secret.encode()
        self.header = {"kid": key_id(secret)}


def _moment(seconds: object) -> datetime | None:
    if type(seconds) is not int:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def key_id(secret: str) -> str:
    """A name for the secret that reveals nothing about it."""
    return hashlib.sha256(b"forum key id: " + secret.encode()).hexdigest()[:16]
