"""Rows with text that is not UTF-8: SQLite keeps any bytes, and apsw refuses them."""

from collections.abc import Iterator, Sequence
from typing import Any

import apsw


def read_row_by_row(
    connection: apsw.Connection, sql: str, parameters: Sequence[object]
) -> list[Sequence[Any]]:
    """The rows of a statement that changes nothing.

    Of those that are not UTF-8 only the first column, None if it is no integer.
    """
    return list(_rows(connection, sql, parameters))


def _rows(
    connection: apsw.Connection, sql: str, parameters: Sequence[object]
) -> Iterator[Sequence[Any]]:
    cursor = connection.execute(sql, parameters)
    name = cursor.get_description()[0][0].replace('"', '""')
    integer = f"""CASE typeof("{name}") WHEN 'integer' THEN "{name}" END"""
    for first in connection.execute(f"SELECT {integer} FROM ({sql})", parameters):  # noqa: S608  # our own statement
        try:
            yield next(cursor)
        except UnicodeDecodeError:
            yield first
