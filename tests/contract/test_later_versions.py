"""Who can go on with a schema that a later version of the program has made."""

from collections.abc import Iterator

import pytest

from forum.adapters.sql.migrations import SchemaTooNew, StillNeeded, migrate, status
from forum.adapters.sql.migrations.runner import BadVersion
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.adapters.sql.schema import SchemaDiffers
from tests.conftest import Program
from tests.support.stores import open_database
from tests.support.versions import MOOD, TODAY, version

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

FIRST = f"{TODAY + 1:04}_later"


@pytest.fixture
def database(database_url: str) -> Iterator[PeeweeDatabase]:
    """One with the tables of today."""
    database = open_database(database_url, timeout=0.5)
    migrate(database)
    yield database
    database.close()


def missing(database: PeeweeDatabase) -> list[str]:
    return [each.name for each in status(database) if not each.applied]


def test_a_program_goes_on_with_a_later_version_that_says_so(
    database: PeeweeDatabase, program: Program
) -> None:
    program(version(TODAY))
    migrate(database)
    program()
    assert migrate(database) == []
    assert [each.name for each in status(database) if each.is_later] == [FIRST]


def test_a_program_does_not_go_on_with_a_later_version_that_changes_what_it_needs(
    database: PeeweeDatabase, program: Program
) -> None:
    program(version(TODAY + 1))
    migrate(database)
    program()
    with pytest.raises(SchemaTooNew):
        status(database)


CHAIN = [version(TODAY), version(TODAY + 1, MOOD)]
"""Each one goes on with the next version, and with none after it."""


@pytest.fixture
def chained(database: PeeweeDatabase, program: Program) -> PeeweeDatabase:
    """One at the second of two later versions."""
    for number in (1, 2):
        program(*CHAIN[:number])
        migrate(database)
    return database


def test_the_program_before_goes_on_with_the_last_of_a_chain(
    chained: PeeweeDatabase, program: Program
) -> None:
    program(CHAIN[0])
    assert migrate(chained) == []


def test_an_earlier_program_does_not_go_on_with_the_last_of_a_chain(
    chained: PeeweeDatabase, program: Program
) -> None:
    program()
    with pytest.raises(SchemaTooNew):
        status(chained)


def test_what_one_version_changed_no_later_one_takes_back(
    database: PeeweeDatabase, program: Program
) -> None:
    program(version(TODAY + 1), version(TODAY, MOOD))
    migrate(database)
    program()
    with pytest.raises(SchemaTooNew):
        status(database)


@pytest.fixture
def unstated(database: PeeweeDatabase) -> PeeweeDatabase:
    """One from before anything was recorded of who can go on."""
    database.query("DROP TABLE schema_compatibility")
    return database


def test_a_database_that_does_not_say_who_can_go_on_is_used(unstated: PeeweeDatabase) -> None:
    assert migrate(unstated) == []
    assert missing(unstated) == []


def test_a_database_says_who_can_go_on_from_its_next_version_on(
    unstated: PeeweeDatabase, program: Program
) -> None:
    program(version(TODAY))
    migrate(unstated)
    program()
    assert migrate(unstated) == []


def test_a_program_does_not_go_on_where_nothing_says_that_it_can(
    database: PeeweeDatabase, program: Program
) -> None:
    program(version(TODAY))
    migrate(database)
    database.query("DROP TABLE schema_compatibility")
    program()
    with pytest.raises(SchemaTooNew):
        status(database)


def test_a_program_does_not_go_on_without_what_it_reads(
    database: PeeweeDatabase, program: Program
) -> None:
    program(version(TODAY, 'ALTER TABLE "articles" DROP COLUMN "text"'))
    migrate(database)
    program()
    with pytest.raises(SchemaDiffers, match="has no column text in the table articles"):
        status(database)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM schema_compatibility",
        "INSERT INTO schema_compatibility (oldest) VALUES (1)",
        "ALTER TABLE schema_compatibility ADD COLUMN newest INTEGER",
    ],
)
def test_a_record_that_is_not_ours_is_refused(database: PeeweeDatabase, sql: str) -> None:
    database.query(sql)
    with pytest.raises(SchemaDiffers):
        status(database)


@pytest.mark.parametrize(("oldest", "running"), [(TODAY, TODAY), (TODAY, TODAY + 1)])
def test_a_version_is_applied_beside_a_program_that_goes_on_with_it(
    database: PeeweeDatabase, program: Program, oldest: int, running: int
) -> None:
    program(version(oldest))
    assert migrate(database, running=running) == [FIRST]


@pytest.mark.parametrize(("oldest", "running"), [(TODAY + 1, TODAY), (TODAY, TODAY - 1)])
def test_nothing_is_changed_beside_a_program_that_does_not_go_on(
    database: PeeweeDatabase, program: Program, oldest: int, running: int
) -> None:
    program(version(oldest))
    with pytest.raises(StillNeeded, match=FIRST):
        migrate(database, running=running)
    assert missing(database) == [FIRST]


@pytest.mark.parametrize("oldest", [None, 0, TODAY + 2, str(TODAY), True])
def test_a_version_must_state_who_can_go_on(
    database: PeeweeDatabase, program: Program, oldest: object
) -> None:
    program(version(oldest))
    with pytest.raises(BadVersion, match=f"{FIRST} does not state OLDEST"):
        migrate(database)
    assert missing(database) == [FIRST]


def test_versions_that_are_installed_while_a_program_runs_are_not_its_own(
    database: PeeweeDatabase, program: Program
) -> None:
    folder = program()
    migrate(database)
    (folder / f"{FIRST}.py").write_text(version(TODAY))
    assert missing(database) == []
