"""The settings: `FORUM_*` environment variables, read once, refused where they are unsafe."""

import re
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, field, fields, replace
from functools import partial
from ipaddress import ip_network
from typing import Any, Self

from environs import Env, EnvValidationError, FileAwareEnv, ValidationError, validate

from forum.database_url import DatabaseUrl, parse_database_url
from forum.domain.ports import MIN_SECRET_BYTES
from forum.environment import FILE, PREFIX, BadSetting, require_known, unreadable
from forum.logs import FORMATS, LEVELS

_ONE_OF = "it must be one of: {choices}"
_SOCKET = re.compile("unix:/.")
_SOCKET_MODE = re.compile("[67][0-7]{2}")


def _setting(
    read: Callable[..., Any],
    default: Any,
    check: Callable[[Any], object] | None = None,
    *,
    is_secret: bool = False,
    may_be_file: bool = False,
) -> Any:
    """A field that is read from the variable of its name, or the file that a second one names.

    A secret is never shown.
    """
    how = {"read": read, "default": default, "check": check}
    how |= {"is_secret": is_secret, "may_be_file": may_be_file or is_secret}
    return field(repr=not is_secret, metadata=how)


def _between(least: float, most: float) -> validate.Range:
    return validate.Range(least, most, error="it must be from {min} to {max}")


_words = partial(Env.list, subcast=str.strip)
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
    if not _is_tcp_address(text) and not _SOCKET.match(text):
        raise ValidationError("it must be like 127.0.0.1:8000, [::1]:8000 or unix:/path")


def _tcp_address(text: str) -> None:
    if not _is_tcp_address(text):
        raise ValidationError("it must be like 127.0.0.1:8001 or [::1]:8001")


def _is_tcp_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host and port.isdecimal() and 0 < int(port[:6]) < 65536)


def _mode(text: str) -> None:
    if not _SOCKET_MODE.fullmatch(text):
        raise ValidationError("it must be like 660, where the owner may read and write")


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
    """The effective settings; docs/operations.md gives their meaning."""

    database_url: DatabaseUrl = _setting(Env.str, "sqlite:///data/forum.db", may_be_file=True)
    secret_key: str | None = _setting(Env.str, None, _strong, is_secret=True)
    old_secret_keys: tuple[str, ...] = _setting(_words, [], _strong, is_secret=True)
    token_lifetime: int = _setting(Env.int, 14 * 24 * 3600, _between(1, 2**31))
    audit_lifetime: int = _setting(Env.int, 90 * 24 * 3600, _between(1, 2**31))
    page_size: int = _setting(Env.int, 10, _between(1, 1000))
    bind: str = _setting(Env.str, "127.0.0.1:8000", _address)
    metrics_bind: str | None = _setting(Env.str, None, _tcp_address)
    socket_mode: str = _setting(Env.str, "660", _mode)
    workers: int = _setting(Env.int, 2, _between(1, 256))
    threads: int = _setting(Env.int, 4, _between(1, 256))
    hashes: int = _setting(Env.int, 1, _between(1, 64))
    # The floor of the OWASP Password Storage Cheat Sheet.
    hash_memory: int = _setting(Env.int, 19 * 1024, _between(19 * 1024, 2**22))
    hash_passes: int = _setting(Env.int, 2, _between(2, 100))
    store_timeout: float = _setting(Env.float, 5, _between(0.1, 60))
    body_limit: int = _setting(Env.int, 2 * 1024**2, _between(1024, 2**30))
    body_memory: int = _setting(Env.int, 32 * 1024**2, _between(2**20, 2**40))
    cache_memory: int = _setting(Env.int, 16 * 1024**2, _between(0, 2**40))
    log_format: str = _setting(Env.str, "auto", validate.OneOf(FORMATS, error=_ONE_OF))
    log_level: str = _setting(Env.str, "info", validate.OneOf(LEVELS, error=_ONE_OF))
    access_log: bool = _setting(Env.bool, default=False)
    title_limit: int = _setting(Env.int, 300, _between(1, 10**6))
    text_limit: int = _setting(Env.int, 100_000, _between(1, 10**8))
    cors_origins: tuple[str, ...] = _setting(_words, ["*"], _origins)
    pages: bool = _setting(Env.bool, default=True)
    trusted_proxies: tuple[str, ...] = _setting(_words, [], _networks)
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
        in_files = [each for each in fields(cls) if each.metadata["may_be_file"]]
        require_known(_names(fields(cls)), _names(in_files))
        env = FileAwareEnv(prefix=PREFIX, strip_whitespace=True)
        values = {each.name: _read(env, each) for each in fields(cls)}
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
        return {PREFIX + name.upper(): value for name, value in shown.items()}


def _names(settings: Iterable[Field[Any]]) -> set[str]:
    return {PREFIX + each.name.upper() for each in settings}


def _read(env: Env, setting: Field[Any]) -> Any:
    name, how = setting.name.upper(), setting.metadata
    try:
        value = how["read"](env, name, how["default"], validate=how["check"])
    except EnvValidationError as error:
        raise BadSetting(f"{PREFIX}{name}: {_sentence(error)}") from error
    except (OSError, ValueError) as error:
        raise unreadable(f"{PREFIX}{name}{FILE}") from error
    return tuple(value) if isinstance(value, list) else value


def _sentence(error: EnvValidationError) -> str:
    first = next(iter(error.error_messages))
    return str(first).rstrip(".").replace("Not a valid", "it is no valid")


def _shown(value: Any, metadata: Any) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return ",".join("***" if metadata["is_secret"] else str(each) for each in parts)
