"""A database of PostgreSQL that is migrated while it is used."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from forum.adapters.sql.migrations import migrate
from tests.conftest import Program
from tests.support.stores import open_database
from tests.support.versions import TODAY, version

AGE = version(TODAY, 'ALTER TABLE "users" ADD COLUMN "age" INTEGER')


@pytest.fixture
def user(postgres_url: str) -> Iterator[psycopg.Connection]:
    """Somebody who uses the tables of today."""
    with closing(open_database(postgres_url, timeout=5)) as database:
        migrate(database)
    with psycopg.connect(postgres_url) as connection:
        yield connection


def await_migration(user: psycopg.Connection) -> None:
    deadline = time.monotonic() + 20
    while user.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'").fetchone() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_whoever_has_read_may_still_write(
    postgres_url: str, user: psycopg.Connection, program: Program
) -> None:
    program(AGE)
    with closing(open_database(postgres_url, timeout=5)) as database, ThreadPoolExecutor() as pool:
        user.execute("SELECT * FROM users")
        migrating = pool.submit(migrate, database)
        await_migration(user)
        user.execute("UPDATE articles SET title = ''")
        user.commit()
        assert migrating.result() == [f"{TODAY + 1:04}_later"]
