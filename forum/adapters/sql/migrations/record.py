"""What a database says about the versions of its schema."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from forum.adapters.sql.migrations.runner import COMPATIBILITY, HISTORY
from forum.adapters.sql.schema import Schema, SchemaDiffers, SchemaReader, printable

TABLES = (HISTORY, COMPATIBILITY)

_APPLIED = f"SELECT name, applied FROM {HISTORY} ORDER BY name LIMIT 10000"  # noqa: S608  # ours
_OLDEST = f"SELECT oldest FROM {COMPATIBILITY} LIMIT 2"  # noqa: S608

_NAME = re.compile(r"(\d{4})_\w+", re.ASCII)


class SchemaTooNew(Exception):
    """The database is that of a later version of the forum, with which this one cannot go on."""

    def __str__(self) -> str:
        return (
            "the database was migrated by a later version of the forum, and this one cannot go on "
            "with it: install that one"
        )


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the schema."""

    name: str
    applied: datetime | str | None
    """When; None for not yet."""
    is_later: bool = False
    """Whether it is one of a later version of the forum, with which this one can go on."""

    @property
    def number(self) -> int:
        """What its name begins with."""
        return int(self.name[:4])


@dataclass(frozen=True, slots=True)
class Record:
    """The versions that are applied, and who can go on with them."""

    applied: Mapping[str, object] = field(default_factory=dict)
    """When each version was applied, by its name."""
    oldest: int | None = None
    """The oldest version whose program can; None in a database from before this was recorded."""

    def later(self, names: Sequence[str]) -> list[str]:
        """The names of applied versions that come after all of these."""
        return [name for name in self.applied if _NAME.fullmatch(name) and name > names[-1]]

    def last(self, names: Sequence[str]) -> str | None:
        """The last of these names that is applied.

        Raises `SchemaDiffers` where they are not applied in their order, and `SchemaTooNew` at a
        later one with which the program of the last cannot go on.
        """
        recorded = [name for name in names if self.applied.get(name)]
        later = self.later(names) if recorded == names else []
        for name in self.applied:
            if name not in names and name not in later:
                raise SchemaDiffers(
                    f"has a record of the version {printable(name)}, which is not the forum's"
                )
        for name, expected in zip(recorded, names, strict=False):
            if name != expected:
                raise SchemaDiffers(f"has no record of the version {expected}")
        if later and (self.oldest is None or self.oldest > int(names[-1][:4])):
            raise SchemaTooNew
        return recorded[-1] if recorded else None

    def versions(self, names: Sequence[str]) -> list[Version]:
        """Those of these names, and then the later ones."""
        own = [Version(name, _time(self.applied.get(name))) for name in names]
        later = self.later(names)
        return own + [Version(name, _time(self.applied[name]), is_later=True) for name in later]


def _time(applied: object) -> datetime | str | None:
    with suppress(TypeError, ValueError):
        return datetime.fromisoformat(applied)  # type: ignore[arg-type]  # checked by trying
    return applied if isinstance(applied, datetime) else str(applied) if applied else None


def read_record(reader: SchemaReader, found: Schema) -> Record:
    """What is recorded in a database with these tables. Raises `SchemaDiffers`."""
    rows: Any = reader.rows(_APPLIED) if HISTORY in found else []
    applied: dict[Any, Any] = dict(rows)
    if not all(isinstance(name, str) and when for name, when in applied.items()):
        raise SchemaDiffers("has a record of a version that cannot be read")
    if COMPATIBILITY not in found:
        return Record(applied)
    oldest = reader.rows(_OLDEST)
    if len(oldest) != 1 or type(oldest[0][0]) is not int:
        raise SchemaDiffers("has a record of compatibility that cannot be read")
    return Record(applied, oldest[0][0])
