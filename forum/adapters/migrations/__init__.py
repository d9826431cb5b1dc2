"""The versions of the schema, and the runner that brings a database to one of them.

A version is a file `NNNN_name.py` with `up(migrator, db)`; it declares frozen copies of the tables it
makes and imports no table of today, so that it still does in a year what it does now.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import peewee
from playhouse.migrations import Runner
from playhouse.sqlite_ext import AutoIncrementField

from forum.adapters.sql import Database


class SchemaTooNew(Exception):
    """The database was migrated by a later version of the forum."""


class UnknownVersion(Exception):
    """There is no such version, or the database is past it already."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the schema: its number, its name, and when it was applied (None: not yet)."""

    number: int
    name: str
    applied: datetime | str | None


def migrate(database: Database, target: int | None = None) -> list[str]:
    """Apply what is missing up to the target, or all of it, and answer the names.

    All or nothing: a version that fails leaves the schema as it was. Concurrent calls apply once.
    Raises `SchemaTooNew`, and `UnknownVersion` for a target that cannot be reached by going up.
    """
    if target is None and not _missing(status(database)):
        return []
    with database.exclusive():
        name = None if target is None else _name(status(database), target)
        applied: list[str] = _runner(database).up(name)
        return applied


def status(database: Database) -> list[Version]:
    """Every version in order. Raises `SchemaTooNew`; changes nothing."""
    rows = _runner(database).status()
    if any(row.path is None for row in rows):
        raise SchemaTooNew
    return [Version(row.idx, row.name, row.applied) for row in rows]


def key_field(database: peewee.Database) -> peewee.AutoField:
    """A 64-bit key whose values are never used again, also after the newest row is deleted."""
    return (
        AutoIncrementField()
        if isinstance(database, peewee.SqliteDatabase)
        else peewee.BigAutoField()
    )


def _runner(database: Database) -> Runner:
    return Runner(database, str(Path(__file__).parent))


def _missing(versions: list[Version]) -> bool:
    return any(version.applied is None for version in versions)


def _name(versions: list[Version], target: int) -> str:
    for version in versions:
        if version.number == target and not any(v.applied for v in versions if v.number > target):
            return version.name
    raise UnknownVersion
