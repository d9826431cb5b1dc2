"""The URL of a database, parsed once into what it names."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from forum.environment import BadSetting

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")
_URLS = "sqlite:///data/forum.db, postgresql://host/name or memory://"


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
