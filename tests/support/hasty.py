"""`forum`, broken on purpose: an answer leaves before its write is committed. The control of the
kill tests.

`python -m tests.support.hasty serve` is `forum serve` in all else.
"""

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from forum.adapters.sql.database import Row
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.adapters.sql.statements import Statement
from forum.cli import main

LATENESS = 0.1
"""Seconds between the answer and the commit."""

_in_time = SqliteDatabase.write


@cache
def _committer(process: int) -> ThreadPoolExecutor:
    # One for each process: a thread does not outlive a fork.
    return ThreadPoolExecutor(1)


def _write_late(database: SqliteDatabase, statement: Statement, **parameters: object) -> list[Row]:
    """The rows of a statement that another thread commits a little later."""
    if database.peewee.in_transaction():
        return _in_time(database, statement, **parameters)
    rows: Future[list[Row]] = Future()
    _committer(os.getpid()).submit(_commit_late, database, rows, statement, **parameters)
    return rows.result()


def _commit_late(
    database: SqliteDatabase, rows: Future[list[Row]], statement: Statement, **parameters: object
) -> None:
    try:
        with database.transaction():
            rows.set_result(_in_time(database, statement, **parameters))
            time.sleep(LATENESS)
    except Exception as error:  # noqa: BLE001  # the other thread raises it
        if not rows.done():
            rows.set_exception(error)


if __name__ == "__main__":
    SqliteDatabase.write = _write_late
    main()
