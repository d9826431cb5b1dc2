"""Rows that no store should have, put there past everything that forbids them."""

from contextlib import closing

import apsw
import psycopg


def spoil(url: str, sql: str) -> None:
    """Run a statement on the database as its owner can, without foreign keys."""
    if url.startswith("postgresql://"):
        with psycopg.connect(url) as server:
            server.execute("SET session_replication_role = replica")
            server.execute(sql)
        return
    with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as file:
        file.execute(sql)


def allow_null(url: str) -> None:
    """Let every column of a SQLite database be NULL."""
    spoil(
        url,
        "PRAGMA writable_schema = on;"
        "UPDATE sqlite_schema SET sql = replace(replace(sql, 'PRIMARY KEY', '!'), 'NOT NULL', '')"
        " WHERE type = 'table' AND name IN ('users', 'articles', 'sessions');"
        "UPDATE sqlite_schema SET sql = replace(sql, '!', 'NOT NULL PRIMARY KEY')",
    )
