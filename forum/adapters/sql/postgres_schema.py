"""The schema of a PostgreSQL database, in the words of that of a SQLite database."""

import re
from collections.abc import Callable, Collection, Sequence

from forum.adapters.sql.database import Row
from forum.adapters.sql.schema import KIND, PLAIN, Schema

_KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}

_TYPES = {
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "character varying(255)": "VARCHAR(255)",
    "integer": "INTEGER",
    "text": "TEXT",
    "timestamp without time zone": "DATETIME",
}

_ACTIONS = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}

_CAST = re.compile(r"::[a-z ]+$")
"""What PostgreSQL adds to a default: 'en'::text."""

_TABLES = """
    SELECT t.relname, t.relkind::text
    FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = current_schema() AND t.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND t.relname = ANY(%s)
"""

_OURS = """
    JOIN pg_catalog.pg_class t ON t.oid = {table}
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = current_schema() AND t.relname = ANY(%s)
"""

_COLUMNS = f"""
    SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        coalesce(array_position(p.conkey, a.attnum), 0), pg_get_expr(d.adbin, d.adrelid),
        a.attidentity <> '', a.attgenerated <> '', a.attcollation <> y.typcollation,
        f.confrelid::regclass::text, k.attname, f.confupdtype::text, f.confdeltype::text
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_constraint p ON p.conrelid = a.attrelid AND p.contype = 'p'
    LEFT JOIN pg_catalog.pg_constraint f
        ON f.conrelid = a.attrelid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum]
    LEFT JOIN pg_catalog.pg_attribute k ON k.attrelid = f.confrelid AND k.attnum = f.confkey[1]
    {_OURS.format(table="a.attrelid")} AND a.attnum > 0 AND NOT a.attisdropped
"""  # noqa: S608  # put together from literals

_INDEXES = f"""
    SELECT t.relname, i.relname, x.indisunique OR x.indisexclusion,
        x.indpred IS NOT NULL OR x.indexprs IS NOT NULL OR NOT x.indisvalid,
        ARRAY(SELECT pg_get_indexdef(x.indexrelid, each, true)
            FROM generate_series(1, x.indnkeyatts) AS each),
        ARRAY(SELECT option & 1 FROM unnest(x.indoption::int[]) AS option)
    FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    {_OURS.format(table="x.indrelid")} AND NOT x.indisprimary
"""  # noqa: S608  # put together from literals

# What is not fired in ordinary sessions is the business of replication.
_OTHERS = f"""
    SELECT t.relname, 'trigger ' || g.tgname FROM pg_catalog.pg_trigger g
    {_OURS.format(table="g.tgrelid")} AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A')
    UNION ALL
    SELECT t.relname, 'rule ' || r.rulename FROM pg_catalog.pg_rewrite r
    {_OURS.format(table="r.ev_class")} AND r.ev_enabled IN ('O', 'A') AND t.relkind = 'r'
    UNION ALL
    SELECT t.relname, 'constraint ' || c.conname FROM pg_catalog.pg_constraint c
    {_OURS.format(table="c.conrelid")} AND c.contype IN ('c', 'x')
"""  # noqa: S608  # put together from literals


Query = Callable[[str, Sequence[object]], list[Row]]
"""Runs a statement and returns all rows. Raises `Unavailable`."""


class PostgresSchema:
    """A `SchemaReader` on what runs a query."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def rows(self, sql: str) -> list[Row]:
        return self._query(sql, ())

    def read(self, tables: Collection[str]) -> Schema:
        names = list(tables)
        schema: dict[str, dict[str, str]]
        schema = {name: {KIND: _KINDS[kind]} for name, kind in self._query(_TABLES, [names])}
        for table, column, *declared in self._query(_COLUMNS, [names]):
            schema[table][f"column {column}"] = _column(*declared)
        for table, index, *parts in self._query(_INDEXES, [names]):
            schema[table][f"index {index}"] = _index(*parts)
        for table, part in self._query(_OTHERS, [names] * 3):
            schema[table][part] = "foreign"
        return schema


def _index(is_unique: bool, is_odd: bool, columns: Sequence[str], descending: Sequence[int]) -> str:
    words = [
        f"{column}{' DESC' if is_descending else ''}"
        for column, is_descending in zip(columns, descending, strict=False)
    ]
    return " ".join([f"{'odd ' if is_odd else ''}{'unique' if is_unique else PLAIN}", *words])


def _column(
    type: str,
    is_not_null: bool,
    pk: int,
    default: str | None,
    is_identity: bool,
    is_generated: bool,
    is_collated: bool,
    parent: str | None,
    key: str,
    update: str,
    delete: str,
) -> str:
    is_given = is_identity or (default or "").startswith("nextval(")
    plain = None if default is None else _CAST.sub("", default)
    return (
        f"{_TYPES.get(type, type)}"
        f"{' NOT NULL' if is_not_null else ''}"
        f"{f' PRIMARY KEY {pk}' if pk else ''}"
        f"{' GIVEN' if is_given else ''}"
        f"{f' DEFAULT {plain}' if plain is not None and not is_given else ''}"
        f"{' COLLATE another' if is_collated else ''}"
        f"{' GENERATED' if is_generated else ''}"
        f"{f' REFERENCES {parent} {key} {_ACTIONS[update]} {_ACTIONS[delete]}' if parent else ''}"
    )
