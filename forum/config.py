"""The settings: `FORUM_*` environment variables, read once, refused where they are unsafe."""

import os
import re
from dataclasses import asdict, dataclass, fields
from ipaddress import ip_network
from typing import Self

from environs import Env, EnvError, ValidationError, validate

_PREFIX = "FORUM_"
_SOCKET = re.compile("unix:/.")

SHORTEST_SECRET = 32
"""Bytes: the output of SHA-256, below which RFC 7518, section 3.2, forbids a key for HS256."""


class BadSetting(Exception):
    """A setting that the service cannot safely start with; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings; the README's table gives their meaning."""

    database_url: str
    secret_key: str | None
    old_secret_keys: tuple[str, ...]
    token_lifetime: int
    page_size: int
    bind: str
    workers: int
    threads: int
    hashes: int
    hash_memory: int
    hash_passes: int
    store_timeout: float
    body_limit: int
    body_memory: int
    title_limit: int
    text_limit: int
    cors_origins: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    throttle: bool
    login_failures: int
    login_failures_address: int
    login_failures_all: int
    login_window: int
    registrations_minute: int
    registrations_hour: int
    posts_minute: int

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises `BadSetting`."""
        _refuse_unknown({_PREFIX + field.name.upper() for field in fields(cls)})
        env = Env(prefix=_PREFIX)
        try:
            settings = cls(
                database_url=env.str("DATABASE_URL", "sqlite:///data/forum.db"),
                secret_key=env.str("SECRET_KEY", None, validate=_strong),
                old_secret_keys=tuple(
                    env.list("OLD_SECRET_KEYS", [], validate=lambda secrets: _strong(*secrets))
                ),
                token_lifetime=env.int(
                    "TOKEN_LIFETIME", 14 * 24 * 3600, validate=_between(1, 2**31)
                ),
                page_size=env.int("PAGE_SIZE", 10, validate=_between(1, 1000)),
                bind=env.str("BIND", "127.0.0.1:8000", validate=_address),
                workers=env.int("WORKERS", 2, validate=_between(1, 256)),
                threads=env.int("THREADS", 8, validate=_between(1, 256)),
                hashes=env.int("HASHES", 1, validate=_between(1, 64)),
                # The floor of the OWASP Password Storage Cheat Sheet.
                hash_memory=env.int("HASH_MEMORY", 19 * 1024, validate=_between(19 * 1024, 2**22)),
                hash_passes=env.int("HASH_PASSES", 2, validate=_between(2, 100)),
                store_timeout=env.float("STORE_TIMEOUT", 5, validate=_between(0.1, 60)),
                body_limit=env.int("BODY_LIMIT", 2 * 1024**2, validate=_between(1024, 2**30)),
                body_memory=env.int("BODY_MEMORY", 32 * 1024**2, validate=_between(2**20, 2**40)),
                title_limit=env.int("TITLE_LIMIT", 300, validate=_between(1, 10**6)),
                text_limit=env.int("TEXT_LIMIT", 100_000, validate=_between(1, 10**8)),
                cors_origins=tuple(env.list("CORS_ORIGINS", "*", validate=_origins)),
                trusted_proxies=tuple(env.list("TRUSTED_PROXIES", [], validate=_networks)),
                throttle=env.bool("THROTTLE", True),
                login_failures=env.int("LOGIN_FAILURES", 10, validate=_at_least_one),
                login_failures_address=env.int(
                    "LOGIN_FAILURES_ADDRESS", 100, validate=_at_least_one
                ),
                login_failures_all=env.int("LOGIN_FAILURES_ALL", 10_000, validate=_at_least_one),
                login_window=env.int("LOGIN_WINDOW", 300, validate=_between(1, 86400)),
                registrations_minute=env.int("REGISTRATIONS_MINUTE", 40, validate=_at_least_one),
                registrations_hour=env.int("REGISTRATIONS_HOUR", 200, validate=_at_least_one),
                posts_minute=env.int("POSTS_MINUTE", 60, validate=_at_least_one),
            )
        except EnvError as error:
            raise BadSetting(str(error)) from error
        return settings

    def shown(self) -> dict[str, str]:
        """The settings by the names of their variables, without the secrets in them."""
        values = {
            **asdict(self),
            "secret_key": "***" if self.secret_key else "(a file beside the database)",
            "old_secret_keys": ",".join("***" for _ in self.old_secret_keys),
            "database_url": _masked(self.database_url),
            "cors_origins": ",".join(self.cors_origins),
            "trusted_proxies": ",".join(self.trusted_proxies),
        }
        return {_PREFIX + name.upper(): str(value) for name, value in values.items()}


def _masked(url: str) -> str:
    # Greedy: a password that should have been percent-encoded has an "@" of its own.
    without_user = re.sub(r"://.*@", "://***@", url)
    return re.sub(r"(password=)[^&]*", r"\1***", without_user)


def _refuse_unknown(known: set[str]) -> None:
    for name in sorted(filter(_is_ours, os.environ)):
        if not _has_utf8(name + os.environ[name]):
            raise BadSetting(f"{name} is not UTF-8")
        if name not in known:
            raise BadSetting(f"{name} is no setting; the settings are {', '.join(sorted(known))}")


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIX)


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _between(least: float, most: float) -> validate.Range:
    return validate.Range(least, most)


_at_least_one = validate.Range(min=1, max=10**9)


def _networks(networks: list[str]) -> None:
    for each in networks:
        try:
            ip_network(each)
        except ValueError:
            raise ValidationError(
                "it must be addresses and networks like 10.0.0.0/8, separated by commas"
            ) from None


def _address(text: str) -> None:
    host, _, port = text.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port[:6]) < 65536) and not _SOCKET.match(text):
        raise ValidationError("it must be like 127.0.0.1:8000, [::1]:8000 or unix:/path")


def _strong(*secrets: str) -> None:
    if any(len(secret.encode()) < SHORTEST_SECRET for secret in secrets):
        raise ValidationError(
            f"it needs at least {SHORTEST_SECRET} bytes; make one with: openssl rand -hex 32"
        )


def _origins(origins: list[str]) -> None:
    if origins != ["*"] and not all(re.fullmatch(r"https?://[^/\s*]+", each) for each in origins):
        raise ValidationError(
            'it must be "*" or origins like https://forum.example, separated by commas'
        )
