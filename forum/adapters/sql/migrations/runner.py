"""Peewee's runner, which records a version as applied only where it did what it says."""

from collections.abc import Callable, Collection
from functools import lru_cache
from inspect import iscoroutinefunction, isgeneratorfunction
from types import SimpleNamespace
from typing import Any

from peewee import Database, IntegerField
from playhouse.migrate import Operation, SchemaMigrator
from playhouse.migrations import Migration, Runner

HISTORY = "schema_migration"
COMPATIBILITY = "schema_compatibility"
"""The table of one row with the oldest version whose program can go on with this schema."""


class BadVersion(Exception):
    """A file of a version cannot be trusted to have done its work; the text says why."""


class CheckedMigration(Migration):  # type: ignore[misc]
    """The file of a version."""

    __slots__ = ()
    idx: int
    name: str

    def load(self) -> SimpleNamespace:
        """What it has: `up`, checked, and always in a transaction, and `oldest`.

        Raises `BadVersion`.
        """
        module = super().load()
        up, oldest = getattr(module, "up", None), getattr(module, "OLDEST", None)
        if up is None:
            raise BadVersion(f"the version {self.name} has no function up")
        if type(oldest) is not int or not 0 < oldest <= self.idx:
            raise BadVersion(
                f"the version {self.name} does not state OLDEST, the oldest version whose program "
                "can go on with it"
            )
        return SimpleNamespace(
            up=lambda migrator, db: _run(self.name, up, migrator, db), oldest=oldest
        )


@lru_cache
def files(folder: str) -> list[CheckedMigration]:
    """Those of all versions, in their order.

    Found once: a later version of the program may put further ones there while this one runs.
    """
    return [CheckedMigration(*each) for each in Migration.load_directory(folder)]


class CheckedRunner(Runner):  # type: ignore[misc]
    """A `Runner` that refuses a version which leaves something undone."""

    def __init__(self, database: Database, folder: str) -> None:
        super().__init__(database, folder, HISTORY)

        class Compatibility(database.Model):  # type: ignore[misc, name-defined]
            oldest = IntegerField()

            class Meta:
                table_name = COMPATIBILITY
                primary_key = False

        self.Compatibility = Compatibility

    def migrations(self) -> list[CheckedMigration]:
        return files(self.directory)

    def up(self, target: str | None = None, fake: bool = False) -> list[str]:  # noqa: FBT002  # its own
        """Apply what is missing up to the target, or all of it, and return the names."""
        applied: list[str] = super().up(target, fake)
        if applied:
            self.Compatibility.create_table()
            self.Compatibility.delete().execute()
            self.Compatibility.insert(oldest=self._oldest(applied[-1])).execute()
        return applied

    def make(self, names: Collection[str]) -> None:
        """Make what these versions make in an empty database, and record or log nothing."""
        self.History.create_table()
        self.Compatibility.create_table()
        for each in self.migrations():
            if each.name in names:
                each.load().up(self.migrator, self.database)

    def _oldest(self, last: str) -> int:
        """The oldest version whose program can go on with all versions up to the last."""
        return max(int(each.load().oldest) for each in self.migrations() if each.name <= last)


def _run(name: str, up: Callable[..., object], migrator: SchemaMigrator, db: Database) -> None:
    if iscoroutinefunction(up) or isgeneratorfunction(up):
        raise BadVersion(
            f"the version {name} has a function up that does not run when it is called"
        )
    watched = _WatchedMigrator(migrator)
    # Most likely operations, which Peewee would drop.
    if up(watched, db) is not None:
        raise BadVersion(f"the version {name} returns something instead of doing it")
    if watched.not_run:
        raise BadVersion(
            f"the version {name} makes an operation and does not hand it to migrator.migrate"
        )


class _WatchedMigrator:
    """A migrator that knows which of its operations have not been run."""

    def __init__(self, migrator: SchemaMigrator) -> None:
        self.not_run: list[Operation] = []
        self._migrator = migrator

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._migrator, name)
        return self._watched(attribute) if callable(attribute) else attribute

    def _watched(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            made = method(*arguments, **options)
            if isinstance(made, Operation):
                self._watch(made)
            return made

        return call

    def _watch(self, operation: Operation) -> None:
        run = operation.run

        def run_and_forget() -> None:
            run()
            self.not_run = [each for each in self.not_run if each is not operation]

        operation.run = run_and_forget
        self.not_run.append(operation)
