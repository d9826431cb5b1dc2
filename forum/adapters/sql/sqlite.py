"""SQLite through apsw, which brings a library of its own: the one of the system may be too old."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import apsw
from peewee import PeeweeException

from forum.adapters.sql.connections import translated
from forum.adapters.sql.database import Row
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.schema import SchemaReader
from forum.adapters.sql.sqlite_connections import ApswDatabase, to_stored
from forum.adapters.sql.sqlite_files import require_whole
from forum.adapters.sql.sqlite_gate import Gate
from forum.adapters.sql.sqlite_interrupts import give_way
from forum.adapters.sql.sqlite_schema import SqliteSchema, opened
from forum.adapters.sql.sqlite_text import read_row_by_row
from forum.adapters.sql.statements import Statement
from forum.domain.errors import Unavailable

MIN_SQLITE_VERSION = (3, 51, 3)
"""Before it, two connections that write or checkpoint at one moment can corrupt a WAL database
(sqlite.org/wal.html).
"""

_TIME_LENGTH = len("2020-02-02T00:17:49.735642")

_REMEMBERED_TIMES = 4096
"""Whose conversion is not repeated: most readers ask for the same few pages."""


@lru_cache(_REMEMBERED_TIMES)
def _from_stored(stored: str) -> datetime:
    if len(stored) != _TIME_LENGTH:  # Python reads shorter forms too, some without a zone.
        raise ValueError(stored)
    return datetime.fromisoformat(stored + "+00:00")


class SqliteDatabase(PeeweeDatabase):
    """A database in one file."""

    is_embedded = True
    to_stored = staticmethod(to_stored)
    from_stored = staticmethod(_from_stored)
    peewee: ApswDatabase

    def __init__(self, path: Path, busy_timeout: float) -> None:
        """Open nothing yet. A writer waits `busy_timeout` seconds for another one at most."""
        if tuple(map(int, apsw.sqlite_lib_version().split("."))) < MIN_SQLITE_VERSION:
            raise OSError(f"SQLite {apsw.sqlite_lib_version()} is too old: install a newer apsw")
        self.path = path
        self._busy_timeout = busy_timeout
        self._gate = Gate(path.absolute())
        super().__init__(ApswDatabase(path, busy_timeout))

    def create(self) -> None:
        """Make the file, readable by its owner alone, unless it is there. Raises OSError."""
        require_whole(self.path)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self.peewee.open_first()

    def require(self) -> None:
        if not self._exists():
            raise FileNotFoundError(f"there is no database at {self.path}")

    def give_way_to_signals(self) -> None:
        give_way(self.peewee.connection(), self._busy_timeout)

    @contextmanager
    def schema_at_one_moment(self) -> Iterator[SchemaReader | None]:
        # Not by the database's own connection: it would turn a foreign file into one in WAL mode.
        require_whole(self.path)
        if not self._exists():
            yield None
            return
        with opened(self.path, self._busy_timeout) as connection:
            connection.execute("BEGIN")
            yield SqliteSchema(connection)

    def schema_in_transaction(self) -> SchemaReader:
        return SqliteSchema(self.peewee.connection())

    def read(self, statement: Statement, **parameters: object) -> list[Row]:
        # Not by way of `query`: most requests are this.
        sql, values = self._bound(statement, parameters)
        self.peewee.require_files(look=False)
        try:
            try:
                return self._all_rows(sql, values)
            except UnicodeDecodeError:
                with translated:
                    return read_row_by_row(self.peewee.connection(), sql, values)
        except PeeweeException as error:
            raise self._refusal(error) from error

    def write(self, statement: Statement, **parameters: object) -> list[Row]:
        try:
            if self.peewee.in_transaction():
                self._require_transaction()
                return super().write(statement, **parameters)
            with self.transaction():
                return super().write(statement, **parameters)
        except UnicodeDecodeError as error:
            raise self._refusal(error) from error

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """A transaction that holds the write lock from its beginning.

        An upgrade later would fail at once.
        """
        # Looking costs a seventh of a write, and the look that counts is the one at the end.
        self.peewee.require_files(look=False)
        seconds, left = self._busy_timeout, self._limit.seconds_left()
        if left is not None:
            seconds = min(left, seconds)
            self.peewee.connection().set_busy_timeout(int(seconds * 1000))
        # Who waits for a pool's thread gives up alone, and a queue may never leave it a gap.
        gate = self._gate
        turn = gate.taken_within(seconds) if left is None else gate.taken_in_turn(or_make=False)
        with self._locked(turn):
            yield

    @contextmanager
    def together(self) -> Iterator[AbstractContextManager[object]]:
        """A block whose transactions are committed at its end, with one sync for all of them.

        It begins when it is the turn of this thread to write, however long that takes. Each
        transaction inside still takes back its own writes alone; where the commit at the end fails,
        all are taken back. What it gives is a block in which another thread writes into it, while
        this one waits. Raises `Unavailable`.
        """
        try:
            self.peewee.require_files(look=False)
            with self._locked(self._gate.taken_in_turn(or_make=True)):
                yield self.peewee.lent()
        except PeeweeException as error:
            raise self._refusal(error) from error

    def snapshot(self) -> AbstractContextManager[object]:
        transaction: AbstractContextManager[object] = self.peewee.atomic("DEFERRED")
        return transaction

    def last_id(self, table: str) -> int:
        rows = self.query("SELECT seq FROM sqlite_sequence WHERE name = ?", [table])
        return int(rows[0][0]) if rows else 0

    def set_last_id(self, table: str, id: int) -> None:
        self.query("DELETE FROM sqlite_sequence WHERE name = ?", [table])
        self.query("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, id])

    def version(self) -> object | None:
        # Of one connection, which has written nothing and has no transaction open: within one, the
        # number stays as it is.
        try:
            self.peewee.require_files(look=False)
            connection = self.peewee.connection()
            return connection, connection.execute("PRAGMA data_version").get
        except (apsw.Error, PeeweeException, Unavailable):
            return None

    def _outermost(self) -> AbstractContextManager[object]:
        return self.exclusive()

    @contextmanager
    def _without_sync(self) -> Iterator[None]:
        self.peewee.require_files(look=False)
        self.peewee.execute_sql("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._sync_again()

    @contextmanager
    def _locked(self, turn: AbstractContextManager[object]) -> Iterator[None]:
        with turn, self.peewee.atomic("IMMEDIATE"):
            yield
        # Committed, but perhaps into a file that cannot be found any more. Nobody needs to wait for
        # this look.
        self.peewee.require_files(look=True)

    def _require_transaction(self) -> None:
        # After some errors SQLite takes the whole of it back, and commits each statement that
        # follows at once.
        if not self.peewee.connection().in_transaction:
            raise Unavailable("the transaction was taken back")

    def _sync_again(self) -> None:
        if self.peewee.is_closed():
            return
        try:
            self.peewee.execute_sql("PRAGMA synchronous = FULL")
        except PeeweeException:
            self.peewee.close()  # The next one begins with it.

    def _all_rows(self, sql: str, parameters: Sequence[object]) -> list[Row]:
        # Rows left unread would keep the transaction open, and apsw raises errors of its own while
        # it fetches, which Peewee does not translate.
        try:
            rows: list[Row] = self.peewee.connection().execute(sql, parameters).fetchall()
        except apsw.Error:
            with translated:
                raise
        return rows

    def _leave_connection(self) -> None:
        """Nothing: a file is as good afterwards as before."""

    def _exists(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0
