"""Peewee's runner, which records a version as applied only where it did what it says."""

from collections.abc import Callable, Collection
from inspect import iscoroutinefunction, isgeneratorfunction
from types import SimpleNamespace
from typing import Any

from peewee import Database
from playhouse.migrate import Operation, SchemaMigrator
from playhouse.migrations import Migration, Runner


class BadVersion(Exception):
    """A file of a version cannot be trusted to have done its work; the text says why."""


class CheckedRunner(Runner):  # type: ignore[misc]
    """A `Runner` that refuses a version which leaves something undone."""

    def migrations(self) -> list[Migration]:
        return [_CheckedMigration(*each) for each in super().migrations()]

    def make(self, names: Collection[str]) -> None:
        """Make what these versions make in an empty database, and record or log nothing."""
        self.History.create_table()
        for each in self.migrations():
            if each.name in names:
                each.load().up(self.migrator, self.database)


class _CheckedMigration(Migration):  # type: ignore[misc]
    __slots__ = ()

    def load(self) -> SimpleNamespace:
        """What the runner needs of the file: `up`, checked, and always in a transaction."""
        up = getattr(super().load(), "up", None)
        if up is None:
            raise BadVersion(f"the version {self.name} has no function up")
        return SimpleNamespace(up=lambda migrator, db: _run(self.name, up, migrator, db))


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
