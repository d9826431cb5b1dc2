"""Statements, built with Peewee once when a repository is made, and kept as strings.

Building one anew for each call costs ten times as much as running it.
"""

from peewee import (
    Query,
    Select,
    Value,
)

from forum.adapters.sql.database import Database


def lock(database: Database, query: Select, mode: str) -> Select:
    """The query, which locks the rows that it finds where rows can be locked one by one; elsewhere whoever writes is alone."""
    return query.for_update(mode) if database.for_update else query  # type: ignore[arg-type]  # the stubs know no mode


def slot(name: str) -> Value:
    """A place for a parameter; Peewee passes it on as it is."""
    return Value(name, converter=False)


def compile_query(database: Database, query: Query, *parameters: str) -> str:
    """The SQL of a query whose slots come in this order."""
    sql, slots = database.get_sql_context().parse(query)
    if slots != list(parameters):
        raise TypeError(f"the statement takes {slots}, not {parameters}")
    return str(sql)
