"""Access tokens as JSON Web Tokens, signed with HS256."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

import jwt

from forum.domain.ids import parse_id
from forum.domain.model import Credentials

_ALGORITHM = "HS256"
_MAX_LENGTH = 4096  # No token of ours comes near; longer ones are not worth a signature.


class JwtTokens:
    """`Tokens` under the bytes of secrets, so that another service that shares them can verify them.

    The first secret signs, all of them verify; a token names its own by `key_id`. Our tokens begin
    with one of as many headers as there are secrets; at any other one the secrets are loaded again,
    since another process may have begun to use a new one. The time of expiry is judged here, by the
    caller's clock: PyJWT would ask the machine's.
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
        self._load()

    def issue(self, credentials: Credentials, expires: datetime) -> str:
        claims = {
            "sub": str(credentials.user_id),
            "jti": str(credentials.session_id),
            "exp": int(expires.timestamp()),
        }
        return self._jwt.encode(claims, self._keys[0].secret, _ALGORITHM, self._keys[0].header)

    def read(self, token: str, now: datetime) -> Credentials | None:
        if len(token) > _MAX_LENGTH or not token.isascii():
            return None
        secret = self._secret(token.partition(".")[0])
        try:
            claims = self._jwt.decode(token, secret, [_ALGORITHM]) if secret else None
        except jwt.PyJWTError:
            return None
        if claims is None or not _lasts(claims["exp"], now):
            return None
        user_id, session_id = parse_id(claims["sub"]), parse_id(claims["jti"])
        return Credentials(session_id, user_id) if user_id and session_id else None

    def _secret(self, header: str) -> bytes | None:
        if header not in self._secrets:
            self._load()
        return self._secrets.get(header)

    def _load(self) -> None:
        self._keys = [_Key(secret) for secret in self._load_secrets()]
        self._secrets = {self._encoded_header(key): key.secret for key in self._keys}

    def _encoded_header(self, key: "_Key") -> str:
        return self._jwt.encode({}, key.secret, _ALGORITHM, key.header).partition(".")[0]


class _Key:
    """A secret, and the header of the tokens that it signs."""

    def __init__(self, secret: str) -> None:
        self.secret = secret.encode()
        self.header = {"kid": key_id(secret)}


def key_id(secret: str) -> str:
    """A name for the secret that tells nothing about it."""
    return hashlib.sha256(b"forum key id: " + secret.encode()).hexdigest()[:16]


def _lasts(expires: object, now: datetime) -> bool:
    return type(expires) is int and expires > now.timestamp()
