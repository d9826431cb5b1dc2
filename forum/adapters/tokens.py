"""Access tokens as JSON Web Tokens, signed with HS256."""

from datetime import datetime

import jwt

from forum.domain.ids import parse_id

_ALGORITHM = "HS256"
_MAX_LENGTH = 4096  # No token of ours comes near; longer ones are not worth a signature.


class JwtTokens:
    """`Tokens` under the bytes of one secret, so that another service that shares it can verify them.

    The time of expiry is judged here, by the caller's clock: PyJWT would ask the machine's.
    """

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()
        self._jwt = jwt.PyJWT(
            {
                "enforce_minimum_key_length": True,
                "require": ["sub", "exp"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            }
        )

    def issue(self, user_id: int, expires: datetime) -> str:
        claims = {"sub": str(user_id), "exp": int(expires.timestamp())}
        return self._jwt.encode(claims, self._key, _ALGORITHM)

    def read(self, token: str, now: datetime) -> int | None:
        if len(token) > _MAX_LENGTH or not token.isascii():
            return None
        try:
            claims = self._jwt.decode(token, self._key, [_ALGORITHM])
        except jwt.PyJWTError:
            return None
        expires = claims["exp"]
        if type(expires) is not int or expires <= now.timestamp():
            return None
        return parse_id(claims["sub"])
