"""The versions of the schema, and the runner that brings a database to one of them.

A version is a file `NNNN_name.py` with `up(migrator, db)`; it declares frozen copies of the tables
it makes and imports no table of today, so that it still does in a year what it does now.

`OLDEST` in it is the number of the oldest version whose program can go on with what it makes: that
of the version before, or an earlier one, where they neither miss nor break anything, and its own
where they do. The database records it, so that earlier programs know it without the file.

Nothing is done in a database whose tables are not those that the versions make which it records:
they are compared with those of a fresh database in memory at the same version. Where later versions
are recorded with which this program can go on, no more is compared than what it needs.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import peewee

from forum.adapters.sql.migrations.record import TABLES, Record, SchemaTooNew, Version, read_record
from forum.adapters.sql.migrations.runner import HISTORY, CheckedRunner, files
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.schema import (
    KIND,
    Schema,
    SchemaDiffers,
    SchemaReader,
    difference,
    lack,
)
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.sqlite_schema import read_schema

__all__ = ["SchemaTooNew", "Version"]


class UnknownVersion(Exception):
    """There is no such version, or the database is past it already."""


class StillNeeded(Exception):
    """A version changes what a program needs that still runs; the text says what to do."""


def migrate(
    database: PeeweeDatabase, target: int | None = None, running: int | None = None
) -> list[str]:
    """Apply what is missing up to the target, or all of it, and return the names.

    A database is made where there is none. All or nothing: a version that fails leaves the schema
    as it was. Concurrent calls apply once. `running` is the version of a program that goes on
    meanwhile.
    Raises `SchemaTooNew`, `SchemaDiffers`, `BadVersion`, `StillNeeded`, and `UnknownVersion` for a
    target that cannot be reached by going up; no table is made or changed then.
    """
    versions = status(database)
    if target is None and not _missing(versions):
        return []
    if running is not None and (breaking := first_break(versions, running)):
        raise StillNeeded(
            f"the version {breaking} of the schema changes what the program needs that still runs: "
            "stop the service, then start it"
        )
    name = None if target is None else _name(versions, target)
    database.create()
    with database.alone():
        if target is not None:
            _name(_read(database.schema_in_transaction())[1].versions(_names()), target)
        if applied := _runner(database).up(name):
            _compare(*_read(database.schema_in_transaction()))
        return applied


def status(database: PeeweeDatabase) -> list[Version]:
    """Every version in order; none is applied where there is no database. Changes nothing.

    Raises `SchemaTooNew`, and `SchemaDiffers` where the tables are not those that the recorded
    versions make.
    """
    found, record = _look(database)
    _compare(found, record)
    return record.versions(_names())


def latest() -> int:
    """The number of the version that this program makes."""
    return files(_folder())[-1].idx


def first_break(versions: Sequence[Version], running: int) -> str | None:
    """The name of the first of these that is missing, and that a program cannot go on with.

    `running` is the version of that program. Raises `BadVersion`.
    """
    missing = {each.name for each in _missing(versions)}
    for file in files(_folder()):
        if file.name in missing and file.load().oldest > running:
            return file.name
    return None


def require_own_schema(reader: SchemaReader) -> Schema:
    """The schema of a SQLite database of the forum, of this version or an earlier one.

    Raises `SchemaDiffers`, `SchemaTooNew`.
    """
    found, record = _read(reader)
    if HISTORY not in found:
        raise SchemaDiffers("is of another program")
    _compare(found, record)
    if record.later(_names()):
        raise SchemaTooNew
    return found


def key_field(database: Any) -> peewee.AutoField:
    """A 64-bit key whose values are never used again, also after the newest row is deleted."""
    field: peewee.AutoField = database.key_field()
    return field


def _look(database: PeeweeDatabase) -> tuple[Schema, Record]:
    """The tables that are there under our names, and the recorded versions, at one moment."""
    with database.schema_at_one_moment() as reader:
        return _read(reader) if reader else ({}, Record())


def _read(reader: SchemaReader) -> tuple[Schema, Record]:
    found = reader.read(_our_tables())
    _compare_record(found)
    return found, read_record(reader, found)


def _compare_record(found: Schema) -> None:
    """Raise `SchemaDiffers` where a table of the record is there and is not ours."""
    record = _made_in_memory(_folder(), ())
    if verdict := difference({name: record[name] for name in TABLES if name in found}, found):
        raise SchemaDiffers(verdict)


def _compare(found: Schema, record: Record) -> None:
    """Raise `SchemaDiffers` or `SchemaTooNew` unless the recorded versions make these tables."""
    last = record.last(_names())
    made = _reference(last) if last else {}
    expected = {name: parts for name, parts in made.items() if name not in TABLES}
    compare = lack if record.later(_names()) else difference
    if verdict := compare(expected, found):
        raise SchemaDiffers(verdict)
    for table, parts in found.items():
        if table not in expected and table not in TABLES:
            raise SchemaDiffers(f"has a {parts[KIND]} {table} that no version recorded in it makes")


def _our_tables() -> Collection[str]:
    """The names of all tables that the versions make.

    Those from a version on that fails are left out: `migrate` says so.
    """
    for last in reversed(_names()):
        with suppress(Exception):
            return _reference(last)
    return TABLES


def _reference(last: str) -> Schema:
    """The schema that the versions up to this name make in a fresh database."""
    names = _names()
    return _made_in_memory(_folder(), tuple(names[: names.index(last) + 1]))


def _names() -> list[str]:
    return [each.name for each in files(_folder())]


@lru_cache
def _made_in_memory(folder: str, names: tuple[str, ...]) -> Schema:
    database = SqliteDatabase(Path(":memory:"), busy_timeout=0)
    try:
        CheckedRunner(database.peewee, folder).make(names)
        return read_schema(database.peewee.connection())
    finally:
        database.close()


def _runner(database: PeeweeDatabase) -> CheckedRunner:
    return CheckedRunner(database.peewee, _folder())


def _folder() -> str:
    return str(Path(__file__).parent)


def _missing(versions: Sequence[Version]) -> list[Version]:
    return [version for version in versions if version.applied is None]


def _name(versions: Sequence[Version], target: int) -> str:
    for version in versions:
        is_last = not any(each.applied for each in versions if each.number > target)
        if version.number == target and is_last and not version.is_later:
            return version.name
    raise UnknownVersion
