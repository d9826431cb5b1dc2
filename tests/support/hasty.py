"""`forum`, broken on purpose: an answer leaves before its write is committed. The control of the
kill tests.

`python -m tests.support.hasty serve` is `forum serve` in all else.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from forum.adapters.sql.sqlite import SqliteDatabase
from forum.cli import main
from forum.http.calls import Call

LATENESS = 0.1
"""Seconds between the answers and the commit."""

_in_time, _run = SqliteDatabase.together, Call.run


@contextmanager
def _together_late(database: SqliteDatabase) -> Iterator[AbstractContextManager[object]]:
    with _in_time(database) as lent:
        yield lent
        time.sleep(LATENESS)


def _run_and_answer(call: Call) -> None:
    _run(call)
    call.loop.call_soon(call.end, None)


if __name__ == "__main__":
    SqliteDatabase.together, Call.run = _together_late, _run_and_answer
    main()
