"""The settings: `FORUM_*` environment variables, read once, refused where they are unsafe."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self

from environs import Env, EnvError, ValidationError, validate

from forum.domain.ports import MIN_SECRET_BYTES

_PREFIX = "FORUM_"
_SOCKET = re.compile("unix:/.")
_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")
_URLS = "sqlite:///data/forum.db, postgresql://host/name or memory://"


class BadSetting(Exception):
    """A setting that the service cannot safely start with; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Memory:
    """`memory://`: a store that one process has for itself, and that ends with it."""

    whereabouts = "Its data is in memory and ends with it"
    file = secret_file = None
    is_shared = False

    def __str__(self) -> str:
        return "memory://"


@dataclass(frozen=True, slots=True)
class Sqlite:
    """`sqlite:///relative/path` or `sqlite:////absolute/path`."""

    file: Path

    is_shared = True

    @property
    def whereabouts(self) -> str:
        """A sentence without its end."""
        return f"Its data lies in {self.file.parent.resolve()}"

    @property
    def secret_file(self) -> Path:
        """Where the secrets are if the operator has set none."""
        return self.file.parent / "secret.key"

    def __str__(self) -> str:
        return f"{_SQLITE}{self.file}"


@dataclass(frozen=True, slots=True)
class Postgres:
    """`postgresql://…`, with any number of hosts."""

    dsn: str = field(repr=False)

    whereabouts = "Its data lies in PostgreSQL"
    file = None
    is_shared = True
    secret_file = Path("data/secret.key")

    def __str__(self) -> str:
        # Greedy: a password that should have been percent-encoded has an "@" of its own.
        without_user = re.sub(r"://.*@", "://***@", self.dsn)
        return re.sub(r"(password=)[^&]*", r"\1***", without_user)


DatabaseUrl = Memory | Sqlite | Postgres


def parse_database_url(url: str) -> DatabaseUrl:
    """What the URL names. Raises `BadSetting`."""
    if url == "memory://":
        return Memory()
    if url.startswith(_POSTGRES):
        return Postgres("postgresql://" + url.partition("://")[2])
    path = url.removeprefix(_SQLITE)
    if path in (url, "", ":memory:"):
        raise BadSetting(f"the URL of the database must be like {_URLS}")
    return Sqlite(Path(path))


def _setting(
    read: Callable[..., Any],
    default: Any,
    check: Callable[[Any], object] | None = None,
    *,
    is_secret: bool = False,
) -> Any:
    """A field that is read from the variable of its name; a secret is never shown."""
    how = {"read": read, "default": default, "check": check, "is_secret": is_secret}
    return field(repr=not is_secret, metadata=how)


def _between(least: float, most: float) -> validate.Range:
    return validate.Range(least, most)


_at_least_one = _between(1, 10**9)


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


def _strong(secrets: str | list[str]) -> None:
    all_of_them = [secrets] if isinstance(secrets, str) else secrets
    if any(len(each.encode()) < MIN_SECRET_BYTES for each in all_of_them):
        raise ValidationError(
            f"it needs at least {MIN_SECRET_BYTES} bytes; make one with: openssl rand -hex 32"
        )


def _origins(origins: list[str]) -> None:
    if origins != ["*"] and not all(re.fullmatch(r"https?://[^/\s*]+", each) for each in origins):
        raise ValidationError(
            'it must be "*" or origins like https://forum.example, separated by commas'
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings; the README's table gives their meaning."""

    database_url: DatabaseUrl = _setting(Env.str, "sqlite:///data/forum.db")
    secret_key: str | None = _setting(Env.str, None, _strong, is_secret=True)
    old_secret_keys: tuple[str, ...] = _setting(Env.list, [], _strong, is_secret=True)
    token_lifetime: int = _setting(Env.int, 14 * 24 * 3600, _between(1, 2**31))
    page_size: int = _setting(Env.int, 10, _between(1, 1000))
    bind: str = _setting(Env.str, "127.0.0.1:8000", _address)
    workers: int = _setting(Env.int, 2, _between(1, 256))
    threads: int = _setting(Env.int, 8, _between(1, 256))
    hashes: int = _setting(Env.int, 1, _between(1, 64))
    # The floor of the OWASP Password Storage Cheat Sheet.
    hash_memory: int = _setting(Env.int, 19 * 1024, _between(19 * 1024, 2**22))
    hash_passes: int = _setting(Env.int, 2, _between(2, 100))
    store_timeout: float = _setting(Env.float, 5, _between(0.1, 60))
    body_limit: int = _setting(Env.int, 2 * 1024**2, _between(1024, 2**30))
    body_memory: int = _setting(Env.int, 32 * 1024**2, _between(2**20, 2**40))
    title_limit: int = _setting(Env.int, 300, _between(1, 10**6))
    text_limit: int = _setting(Env.int, 100_000, _between(1, 10**8))
    cors_origins: tuple[str, ...] = _setting(Env.list, ["*"], _origins)
    trusted_proxies: tuple[str, ...] = _setting(Env.list, [], _networks)
    throttle: bool = _setting(Env.bool, default=True)
    login_failures: int = _setting(Env.int, 10, _at_least_one)
    login_failures_address: int = _setting(Env.int, 100, _at_least_one)
    login_failures_all: int = _setting(Env.int, 10_000, _at_least_one)
    login_window: int = _setting(Env.int, 300, _between(1, 86400))
    registrations_minute: int = _setting(Env.int, 40, _at_least_one)
    registrations_hour: int = _setting(Env.int, 200, _at_least_one)
    posts_minute: int = _setting(Env.int, 60, _at_least_one)

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process. Raises `BadSetting`."""
        _refuse_unknown({_PREFIX + each.name.upper() for each in fields(cls)})
        env = Env(prefix=_PREFIX)
        try:
            values = {each.name: _read(env, each.name, **each.metadata) for each in fields(cls)}
        except EnvError as error:
            raise BadSetting(str(error)) from error
        return cls(**values | {"database_url": parse_database_url(values["database_url"])})

    def on(self, url: str) -> Self:
        """The same settings for another database. Raises `BadSetting`."""
        return replace(self, database_url=parse_database_url(url))

    def shown(self) -> dict[str, str]:
        """The settings by the names of their variables, without the secrets in them."""
        shown = {
            each.name: _shown(getattr(self, each.name), each.metadata) for each in fields(self)
        }
        if not self.secret_key:
            shown["secret_key"] = "(a file beside the database)"  # noqa: S105
        return {_PREFIX + name.upper(): value for name, value in shown.items()}


def _read(
    env: Env, name: str, *, read: Callable[..., Any], default: Any, check: Any, is_secret: bool
) -> Any:
    value = read(env, name.upper(), default, validate=check)
    return tuple(value) if isinstance(value, list) else value


def _shown(value: Any, metadata: Any) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return ",".join("***" if metadata["is_secret"] else str(each) for each in parts)


def _refuse_unknown(known: set[str]) -> None:
    for name in sorted(each for each in os.environ if each.startswith(_PREFIX)):
        if not _has_utf8(name + os.environ[name]):
            raise BadSetting(f"{name} is not UTF-8")
        if name not in known:
            raise BadSetting(f"{name} is no setting; the settings are {', '.join(sorted(known))}")


def _has_utf8(text: str) -> bool:
    return text.encode(errors="replace").decode() == text
