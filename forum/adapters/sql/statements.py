"""Statements with parameters by name.

Building one costs ten times as much as running it, so each is built when its module is imported and
rendered once for each kind of database.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple

from peewee import Context, Database, Query, Select, Table, Value


class Statement:
    """A query without a dialect. Identity is equality."""

    all: ClassVar[list["Statement"]] = []
    """Every statement of the program, so that a database can render them when it is made."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._rendered: dict[type[Database], Rendered] = {}
        self.all.append(self)

    def rendered_for(self, database: Database) -> "Rendered":
        """The statement in the dialect of the database."""
        dialect = type(database)
        if dialect not in self._rendered:
            sql, names = database.get_sql_context().parse(self._query)
            self._rendered[dialect] = Rendered(str(sql), _in_order(names), len(set(names)))
        return self._rendered[dialect]


class Rendered(NamedTuple):
    """A statement of one dialect."""

    sql: str
    in_order: Callable[[Mapping[str, object]], tuple[object, ...]]
    """The values of parameters, each as often as the SQL has a place for it. Raises KeyError."""
    number: int
    """How many different parameters there are."""


def _in_order(names: Sequence[str]) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    if names:
        [name] = names
        return lambda parameters: (parameters[name],)
    return lambda _: ()


class LockingSelect(Select):
    """A SELECT whose lock is left out where rows cannot be locked one by one.

    There whoever writes is alone.
    """

    def __init__(self, table: Table, *columns: Any, **options: Any) -> None:
        super().__init__([table], columns, **options)

    def locking(self, mode: str) -> Select:
        """The same query, which locks the rows that it finds in this mode."""
        return self.for_update(mode)  # type: ignore[arg-type]  # the stubs know no mode

    def __sql__(self, ctx: Context) -> Any:
        if ctx.state.for_update:
            return super().__sql__(ctx)
        unlocked = self.for_update(for_update=False)
        return Select.__sql__(unlocked, ctx)


def param(name: str) -> Value:
    """The place of a parameter; Peewee passes it on as it is."""
    return Value(name, converter=False)
