"""Whether a SQLite file is a database of the forum; nothing in it is believed, or run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw

from forum.adapters.passwords import is_password_hash
from forum.adapters.sql import sqlite_schema
from forum.adapters.sql.migrations import require_own_schema
from forum.adapters.sql.schema import Schema, SchemaDiffers

_LAST_ID = 2**63 - 1
"""After it SQLite gives no id any more."""


def check(path: Path) -> None:
    """Raise OSError unless the file is a sound database of the forum, with data that it can read.

    Nobody may use the file. Its schema comes first: what runs while rows are read, such as a view,
    would be in it. Raises `SchemaTooNew`.
    """
    try:
        # Immutable, or else a file in WAL mode would get a -wal beside it that stays.
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        uri = path.absolute().as_uri() + "?immutable=1"
        with closing(apsw.Connection(uri, flags)) as connection:
            sqlite_schema.distrust(connection)
            schema = require_own_schema(sqlite_schema.SqliteSchema(connection))
            _check_pages(connection)
            _check_data(connection, schema)
    except SchemaDiffers as error:
        raise OSError(f"the backup {error}") from None
    except (apsw.Error, UnicodeDecodeError) as error:
        raise OSError(f"the backup is no sound database: {error}") from error


def _check_pages(connection: apsw.Connection) -> None:
    [(verdict,), *_] = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise SchemaDiffers(f"is damaged: {verdict}")


def _check_data(connection: apsw.Connection, schema: Schema) -> None:
    for verdict in _bad_data(connection, schema):
        raise SchemaDiffers(verdict)


def _bad_data(connection: apsw.Connection, schema: Schema) -> Iterator[str]:
    for table in schema:
        try:
            yield from _bad_values(connection, table)
        except UnicodeDecodeError:
            yield f"has text in the table {table} that is not UTF-8"
        for (column,) in connection.execute(_ORPHANS, (table, table)):
            yield f"has a {column} in the table {table} that is nowhere"
    for table, seq in connection.execute("SELECT name, seq FROM sqlite_sequence"):
        if table in schema and not (_is_number(seq) and seq < _LAST_ID):
            yield f"has a bad last id in the table {table}"


_ORPHANS = """
    SELECT reference."from"
    FROM pragma_foreign_key_check(?) AS row JOIN pragma_foreign_key_list(?) AS reference
        ON reference.id = row.fkid
    LIMIT 1
"""


def _bad_values(connection: apsw.Connection, table: str) -> Iterator[str]:
    columns: list[Any] = connection.execute(
        'SELECT name, type, pk OR "from" IS NOT NULL FROM pragma_table_xinfo(?) '
        'LEFT JOIN pragma_foreign_key_list(?) ON "from" = name ORDER BY cid',
        (table, table),
    ).fetchall()
    tests = [_test(table, *column) for column in columns]
    for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  # a name of ours
        for (name, *_), is_good, value in zip(columns, tests, row, strict=True):
            if not is_good(value):
                yield f"has a bad {name} in the table {table}"


def _test(table: str, column: str, type: str, is_key: int) -> Callable[[Any], bool]:
    """What knows a good value of the column: by its type, or by more where more is known."""
    if (table, column) == ("users", "password_hash"):
        return lambda value: isinstance(value, str) and is_password_hash(value)
    if (table, column) == ("schema_migration", "applied"):
        return lambda value: isinstance(value, str)  # The runner's own form, whatever it is.
    if is_key and type == "INTEGER":
        return lambda value: _is_number(value) and 0 < value < _LAST_ID
    return _TESTS[type.upper()]


def _is_number(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return value in (0, 1) and isinstance(value, int)


def _is_time(value: object) -> bool:
    """Whether this is a moment as `SqliteDatabase.to_stored` writes it."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return moment.tzinfo is None and moment.isoformat(timespec="microseconds") == value


_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "BIGINT": _is_number,
    "BOOLEAN": _is_flag,
    "DATETIME": _is_time,
    "INTEGER": _is_number,
    "TEXT": _is_text,
    "VARCHAR(255)": _is_text,
}
"""By the declared type: a version that makes a column of another one adds a line here."""
