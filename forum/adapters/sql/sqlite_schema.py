"""The schema of a SQLite database, read without running anything that is in it."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from forum.adapters.sql.schema import KIND, PLAIN, Schema

_QUOTED = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?(?:\*/|$)
    """,
    re.DOTALL | re.VERBOSE,
)

# What no pragma shows; the words are keywords, since names stand in quotes or are left out above.
_CONSTRAINT = re.compile(
    r"\b(?:CHECK|CONFLICT|DEFERRABLE|DEFERRED|STRICT|WITHOUT)\b", re.IGNORECASE
)


class SqliteSchema:
    """A `SchemaReader` on a connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def read(self, tables: Collection[str]) -> Schema:
        return read_schema(self._connection, tables)

    def rows(self, sql: str) -> list[Sequence[Any]]:
        rows: list[Sequence[Any]] = list(self._connection.execute(sql))
        return rows


@contextmanager
def opened(path: Path, busy_timeout: float = 0) -> Iterator[apsw.Connection]:
    """A connection that changes nothing in a file by looking at it, and runs nothing that is in it.

    Raises OSError, also for whatever goes wrong inside, with SQLite's words for it.
    """
    try:
        connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(int(busy_timeout * 1000))
            distrust(connection)
            yield connection
        finally:
            connection.close()
    except (apsw.Error, UnicodeDecodeError) as error:
        raise OSError(f"the database cannot be used: {error}") from error


def distrust(connection: apsw.Connection) -> None:
    """Let nothing run that a file brings along."""
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
    connection.pragma("cell_size_check", 1)
    # integrity_check would run them, in further tables too; our own tables have none.
    connection.pragma("ignore_check_constraints", 1)


def read_schema(connection: apsw.Connection, tables: Collection[str] | None = None) -> Schema:
    """The schema of those of these tables that are there, or of all."""
    rows: list[Any] = connection.execute(
        "SELECT lower(name), type, rootpage, sql FROM sqlite_schema "
        "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ).fetchall()
    return {
        name: _parts(connection, name, sql)
        if (kind := _kind(type, page)) == "table"
        else {KIND: kind}
        for name, type, page, sql in rows
        if tables is None or name in tables
    }


def _kind(type: str, page: int) -> str:
    return "virtual table" if type == "table" and not page else type


def _parts(connection: apsw.Connection, table: str, sql: str) -> dict[str, str]:
    clauses = _CONSTRAINT.findall(_QUOTED.sub(" ", sql))
    return {
        KIND: "table",
        **_columns(connection, table),
        **_indexes(connection, table),
        **_triggers(connection, table),
        **({"constraint": " ".join(sorted(clauses))} if clauses else {}),
    }


_REFERENCES = """
    SELECT lower("from"),
        concat_ws(' ', ' REFERENCES', lower("table"), lower("to"), on_update, on_delete)
    FROM pragma_foreign_key_list(?)
"""


def _columns(connection: apsw.Connection, table: str) -> dict[str, str]:
    rows: Any = connection.execute(_REFERENCES, (table,))
    references: dict[str, str] = dict(rows)
    columns: list[Any] = connection.execute(
        'SELECT name, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', (table,)
    ).fetchall()
    is_row_id = sum(bool(pk) for *_, pk, _ in columns) == 1
    parts = {}
    for name, not_null, default, pk, hidden in columns:
        type, collation, _, _, is_never_reused = connection.column_metadata("main", table, name)
        reference = references.get(name.lower(), "")
        is_wide = type == "INTEGER" and (is_never_reused or reference)
        parts[f"column {name.lower()}"] = (
            f"{'BIGINT' if is_wide else (type or '').upper()}"
            f"{' NOT NULL' if not_null else ''}"
            f"{f' PRIMARY KEY {pk}' if pk else ''}"
            f"{' GIVEN' if pk and is_row_id and type == 'INTEGER' else ''}"
            f"{f' DEFAULT {default}' if default is not None else ''}"
            f"{f' COLLATE {collation}' if collation != 'BINARY' else ''}"
            f"{' GENERATED' if hidden else ''}{reference}"
        )
    return parts


def _indexes(connection: apsw.Connection, table: str) -> dict[str, str]:
    rows: Any = connection.execute(
        'SELECT list.name, "unique", partial, info.name, "desc", coll '
        "FROM pragma_index_list(?) AS list, pragma_index_xinfo(list.name) AS info "
        "WHERE key AND origin <> 'pk' ORDER BY list.name, seqno",
        (table,),
    )
    parts: dict[str, str] = {}
    for index, is_unique, is_partial, column, is_descending, collation in rows:
        is_odd = is_partial or column is None or collation != "BINARY"
        part = f"index {index.lower()}"
        before = parts.get(part, "unique" if is_unique else PLAIN)
        word = f"{(column or '?').lower()}{' DESC' if is_descending else ''}"
        parts[part] = f"{'odd ' if is_odd else ''}{before} {word}"
    return parts


def _triggers(connection: apsw.Connection, table: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = ?",
        (table,),
    )
    return {f"trigger {name}": sql for name, sql in rows}
