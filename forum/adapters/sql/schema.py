"""What the tables of a database are made of, in one form for every dialect, and compared."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

Schema = Mapping[str, Mapping[str, str]]
"""For each table its parts, such as `column id` or `index user_username`, and their declaration."""

KIND = "kind"
"""The part that every table has: whether it is a table at all, or a view in the place of one."""

PLAIN = "plain"
"""The first word of an index that neither refuses nor computes anything when rows are written."""

_LONGEST_NAME = 60


class SchemaReader(Protocol):
    """A look at the tables of a database, without running anything that is in them."""

    def read(self, tables: Collection[str]) -> Schema:
        """The schema of those of these tables that are there."""

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """All rows of a SELECT without parameters."""


class SchemaDiffers(Exception):
    """The tables are not those of the forum; the text ends a sentence about the database."""


def difference(expected: Schema, actual: Schema) -> str | None:
    """The first thing that the actual tables have, or lack, against the expected ones.

    It ends a sentence, such as "has no table sessions"; None where there is nothing to say.
    Further tables are let be, and so are further indexes that only make reading faster.
    """
    return next(_differences(expected, actual), None)


def lack(expected: Schema, actual: Schema) -> str | None:
    """The first table or column that the actual ones lack; it ends a sentence as `difference`.

    Whatever else differs is let be.
    """
    for table, parts in expected.items():
        if table not in actual:
            return f"has no table {table}"
        for part in parts:
            if part.startswith("column ") and part not in actual[table]:
                return f"has no {part} in the table {table}"
    return None


def printable(name: str) -> str:
    """A foreign name, short enough and without the characters that would govern a terminal."""
    return "".join(each if each.isprintable() else "?" for each in name[:_LONGEST_NAME])


def _differences(expected: Schema, actual: Schema) -> Iterator[str]:
    for table, parts in expected.items():
        if table not in actual:
            yield f"has no table {table}"
        elif actual[table][KIND] != parts[KIND]:
            yield f"has a {actual[table][KIND]} in the place of the table {table}"
        else:
            for verdict in _differing_parts(parts, actual[table]):
                yield f"{verdict} in the table {table}"


def _differing_parts(expected: Mapping[str, str], actual: Mapping[str, str]) -> Iterator[str]:
    for part, description in expected.items():
        if part not in actual:
            yield f"has no {part}"
        elif actual[part] != description:
            yield f"has another {part}"
    for part, description in actual.items():
        if part not in expected and not description.startswith(PLAIN):
            yield f"has a foreign {printable(part)}"
