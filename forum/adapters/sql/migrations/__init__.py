"""The versions of the schema, and the runner that brings a database to one of them.

A version is a file `NNNN_name.py` with `up(migrator, db)`; it declares frozen copies of the tables
it makes and imports no table of today, so that it still does in a year what it does now.

Nothing is done in a database whose tables are not those that the versions make which it records:
they are compared with those of a fresh database in memory at the same version.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import peewee
from playhouse.migrations import Migration

from forum.adapters.sql.migrations.runner import CheckedRunner
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.schema import (
    KIND,
    Schema,
    SchemaDiffers,
    SchemaReader,
    difference,
    printable,
)
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.sqlite_schema import read_schema

_RECORD = "schema_migration"
_RECORDED = "SELECT name, applied FROM schema_migration ORDER BY name LIMIT 10000"

_Record = Mapping[str, object]
"""When each version was applied, by its name."""


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


def migrate(database: PeeweeDatabase, target: int | None = None) -> list[str]:
    """Apply what is missing up to the target, or all of it, and return the names.

    A database is made where there is none. All or nothing: a version that fails leaves the schema
    as it was. Concurrent calls apply once.
    Raises `SchemaTooNew`, `SchemaDiffers`, `BadVersion`, and `UnknownVersion` for a target that
    cannot be reached by going up; no table is made or changed then.
    """
    versions = status(database)
    if target is None and not _missing(versions):
        return []
    name = None if target is None else _name(versions, target)
    database.create()
    with database.exclusive():
        if target is not None:
            _name(_versions(_read(database.schema_in_transaction())[1]), target)
        applied: list[str] = _runner(database).up(name)
        if applied:
            _compare(*_read(database.schema_in_transaction()))
        return applied


def status(database: PeeweeDatabase) -> list[Version]:
    """Every version in order; none is applied where there is no database. Changes nothing.

    Raises `SchemaTooNew`, and `SchemaDiffers` where the tables are not those that the recorded
    versions make.
    """
    found, record = _look(database)
    _compare(found, record)
    return _versions(record)


def require_own_schema(reader: SchemaReader) -> Schema:
    """The schema of a SQLite database of the forum. Raises `SchemaDiffers`, `SchemaTooNew`."""
    found, record = _read(reader)
    if _RECORD not in found:
        raise SchemaDiffers("is of another program")
    _compare(found, record)
    return found


def key_field(database: Any) -> peewee.AutoField:
    """A 64-bit key whose values are never used again, also after the newest row is deleted."""
    field: peewee.AutoField = database.key_field()
    return field


def _look(database: PeeweeDatabase) -> tuple[Schema, _Record]:
    """The tables that are there under our names, and the recorded versions, at one moment."""
    with database.schema_at_one_moment() as reader:
        return _read(reader) if reader else ({}, {})


def _read(reader: SchemaReader) -> tuple[Schema, _Record]:
    found = reader.read(_our_tables())
    _compare_record(found)
    rows: Any = reader.rows(_RECORDED) if _RECORD in found else []
    return found, dict(rows)


def _compare_record(found: Schema) -> None:
    """Raise `SchemaDiffers` where the table of the versions is there and is not ours."""
    if _RECORD in found and (verdict := difference(_made_in_memory(_folder(), ()), found)):
        raise SchemaDiffers(verdict)


def _compare(found: Schema, record: _Record) -> None:
    """Raise `SchemaDiffers` or `SchemaTooNew` unless the recorded versions make these tables."""
    last = _last(record)
    expected = _reference(last) if last else {}
    if verdict := difference(expected, found):
        raise SchemaDiffers(verdict)
    for table, parts in found.items():
        if table not in expected and table != _RECORD:
            raise SchemaDiffers(f"has a {parts[KIND]} {table} that no version recorded in it makes")


def _last(record: _Record) -> str | None:
    """The name of the last version that is recorded. Raises `SchemaDiffers`, `SchemaTooNew`."""
    names = _names()
    recorded = [name for name in names if record.get(name)]
    for name, applied in record.items():
        if not (isinstance(name, str) and applied):
            raise SchemaDiffers("has a record of a version that cannot be read")
        if name not in names and name > names[-1] and recorded == names:
            raise SchemaTooNew
        if name not in names:
            raise SchemaDiffers(
                f"has a record of the version {printable(name)}, which is not the forum's"
            )
    for name, expected in zip(recorded, names, strict=False):
        if name != expected:
            raise SchemaDiffers(f"has no record of the version {expected}")
    return recorded[-1] if recorded else None


def _our_tables() -> Collection[str]:
    """The names of all tables that the versions make.

    Those from a version on that fails are left out: `migrate` says so.
    """
    for last in reversed(_names()):
        with suppress(Exception):
            return _reference(last)
    return (_RECORD,)


def _reference(last: str) -> Schema:
    """The schema that the versions up to this name make in a fresh database."""
    names = _names()
    return _made_in_memory(_folder(), tuple(names[: names.index(last) + 1]))


def _names() -> list[str]:
    return [each.name for each in _versions({})]


@lru_cache
def _made_in_memory(folder: str, names: tuple[str, ...]) -> Schema:
    database = SqliteDatabase(Path(":memory:"), busy_timeout=0)
    try:
        CheckedRunner(database.peewee, folder).make(names)
        return read_schema(database.peewee.connection())
    finally:
        database.close()


def _versions(record: _Record) -> list[Version]:
    files = Migration.load_directory(_folder())
    return [Version(each.idx, each.name, _time(record.get(each.name))) for each in files]


def _time(applied: object) -> datetime | str | None:
    with suppress(TypeError, ValueError):
        return datetime.fromisoformat(applied)  # type: ignore[arg-type]  # checked by trying
    return applied if isinstance(applied, datetime) else str(applied) if applied else None


def _runner(database: PeeweeDatabase) -> CheckedRunner:
    return CheckedRunner(database.peewee, _folder())


def _folder() -> str:
    return str(Path(__file__).parent)


def _missing(versions: list[Version]) -> bool:
    return any(version.applied is None for version in versions)


def _name(versions: list[Version], target: int) -> str:
    for version in versions:
        if version.number == target and not any(v.applied for v in versions if v.number > target):
            return version.name
    raise UnknownVersion
