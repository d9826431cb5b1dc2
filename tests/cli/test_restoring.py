"""What a backup must have to be restored, and where the secrets go."""

import os
import re
from pathlib import Path

import apsw
import pytest
from click.testing import Result

from forum.adapters.secret_file import add_secret, load_secrets, make_secret
from forum.adapters.sql import sqlite_backup
from forum.adapters.sql.sqlite import SqliteDatabase
from tests.cli.test_moving import assert_refused, change_file, contents, files, fill, mode, run

SECRET = "a secret of the environment, of at least 32 bytes"


@pytest.fixture
def saved(folder: Path) -> Path:
    """A good backup of a database that is gone."""
    fill("sqlite:///forum.db")
    run("backup", "saved.db", url="sqlite:///forum.db")
    (folder / "forum.db").unlink()
    return folder / "saved.db"


def rewrite(table: str, old: str, new: str) -> str:
    """The statements that change how a table is declared, behind SQLite's back."""
    return f"""
        PRAGMA writable_schema = on;
        UPDATE sqlite_schema SET sql = replace(sql, '{old}', '{new}') WHERE name = '{table}';
        PRAGMA writable_schema = reset
    """


NEVER_ENDING = """
    DROP TABLE users;
    CREATE VIEW users AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT i AS id, 'a' AS username, 'a' AS password_hash, 'a' AS date_registered,
            0 AS is_disabled FROM n
"""

FOREIGN_SCHEMAS = [
    ("DROP TABLE sessions", "the backup has no table sessions"),
    ("DROP TABLE counters", "the backup has no table counters"),
    (
        "ALTER TABLE articles DROP COLUMN text",
        "the backup has no column text in the table articles",
    ),
    (
        "ALTER TABLE users ADD COLUMN age INTEGER",
        "the backup has a foreign column age in the table users",
    ),
    (
        "ALTER TABLE users ADD COLUMN twice TEXT AS (username || username)",
        "the backup has a foreign column twice in the table users",
    ),
    (NEVER_ENDING, "the backup has a view in the place of the table users"),
    (
        "DROP TABLE sessions; CREATE VIRTUAL TABLE sessions USING fts5(a)",
        "the backup has a virtual table in the place of the table sessions",
    ),
    (
        "CREATE TRIGGER spy AFTER INSERT ON users BEGIN DELETE FROM articles; END",
        "the backup has a foreign trigger spy in the table users",
    ),
    (
        "CREATE TRIGGER spy AFTER INSERT ON schema_migration BEGIN DELETE FROM articles; END",
        "the backup has a foreign trigger spy in the table schema_migration",
    ),
    ("DROP INDEX user_username", "the backup has no index user_username in the table users"),
    (
        "CREATE UNIQUE INDEX once ON articles (title)",
        "the backup has a foreign index once in the table articles",
    ),
    (
        "CREATE INDEX odd ON articles (abs(title))",
        "the backup has a foreign index odd in the table articles",
    ),
    (
        rewrite("users", '"password_hash" TEXT NOT NULL', '"password_hash" TEXT'),
        "the backup has another column password_hash in the table users",
    ),
    (
        rewrite("users", '"username" TEXT', '"username" BLOB'),
        "the backup has another column username in the table users",
    ),
    (
        rewrite("users", " AUTOINCREMENT", ""),
        "the backup has another column id in the table users",
    ),
    (
        rewrite("users", '"username" TEXT NOT NULL', '"username" TEXT NOT NULL COLLATE NOCASE'),
        "the backup has another column username in the table users",
    ),
    (
        rewrite("counters", '"taken" INTEGER NOT NULL', '"taken" INTEGER NOT NULL CHECK (1)'),
        "the backup has a foreign constraint in the table counters",
    ),
    (
        rewrite("articles", ', FOREIGN KEY ("user_id") REFERENCES "users" ("id")', ""),
        "the backup has another column user_id in the table articles",
    ),
    ("DROP TABLE schema_migration", "the backup is of another program"),
    (
        "DELETE FROM schema_migration",
        "the backup has a table users that no version recorded in it makes",
    ),
    (
        "DELETE FROM schema_migration WHERE name LIKE '0001%'",
        "the backup has no record of the version 0001_users_and_articles",
    ),
    (
        "UPDATE schema_migration SET name = '0001_initial' WHERE name LIKE '0002%'",
        "the backup has a record of the version 0001_initial, which is not the forum's",
    ),
    (
        "DELETE FROM schema_migration WHERE name LIKE '0002%'",
        "the backup has no record of the version 0002_sessions",
    ),
    (
        "DELETE FROM schema_migration WHERE name LIKE '0003%'",
        "the backup has a table audit_entries that no version recorded in it makes",
    ),
    (
        "UPDATE schema_migration SET applied = ''",
        "the backup has a record of a version that cannot be read",
    ),
]


@pytest.mark.parametrize(("sql", "sentence"), FOREIGN_SCHEMAS)
def test_a_backup_whose_schema_is_not_ours_is_refused(saved: Path, sql: str, sentence: str) -> None:
    change_file(saved, sql)
    result = run("restore", saved)
    assert_refused(result)
    assert result.stderr.startswith(f"Error: {sentence}")


SET_USER = "UPDATE users SET"
FOREIGN_DATA = [
    (f"{SET_USER} username = x'ff' WHERE id = 1", "username in the table users"),
    (f"{SET_USER} username = CAST(x'ff' AS TEXT) WHERE id = 1", "text in the table users"),
    (f"{SET_USER} password_hash = 'Password#1' WHERE id = 1", "password_hash in the table users"),
    (
        f"{SET_USER} date_registered = 'yesterday' WHERE id = 1",
        "date_registered in the table users",
    ),
    (
        f"{SET_USER} date_registered = '2020-02-30T00:17:49.735642' WHERE id = 1",
        "date_registered in the table users",
    ),
    (
        f"{SET_USER} date_registered = '2020-02-02T00:17:49' WHERE id = 1",
        "date_registered in the table users",
    ),
    (f"{SET_USER} date_registered = 9e999 WHERE id = 1", "date_registered in the table users"),
    (f"{SET_USER} is_disabled = 7 WHERE id = 1", "is_disabled in the table users"),
    ("UPDATE articles SET id = -1 WHERE id = 1", "id in the table articles"),
    ("UPDATE articles SET id = 9223372036854775807 WHERE id = 1", "id in the table articles"),
    ("UPDATE articles SET text = x'00' WHERE id = 1", "text in the table articles"),
    ("UPDATE articles SET user_id = 99 WHERE id = 1", "user_id in the table articles"),
    ("UPDATE articles SET user_id = 1.5 WHERE id = 1", "user_id in the table articles"),
    ("DELETE FROM users WHERE id = 1", "user_id in the table articles"),
    ("UPDATE sessions SET expires = 'never'", "expires in the table sessions"),
    ("INSERT INTO counters VALUES ('a', -1, '2020-02-02T00:17:49.735642')", "taken in the table"),
    (
        "UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'users'",
        "last id in the table users",
    ),
    ("UPDATE sqlite_sequence SET seq = 'x' WHERE name = 'users'", "last id in the table users"),
]


@pytest.mark.parametrize(("sql", "where"), FOREIGN_DATA)
def test_a_backup_with_data_that_the_forum_cannot_read_is_refused(
    saved: Path, sql: str, where: str
) -> None:
    change_file(saved, sql)
    result = run("restore", saved)
    assert_refused(result)
    assert where in result.stderr


@pytest.mark.parametrize(
    "sql", [sql for sql, _ in (FOREIGN_SCHEMAS[0], FOREIGN_SCHEMAS[5], *FOREIGN_DATA[:3])]
)
def test_a_backup_that_is_refused_leaves_nothing_behind(
    folder: Path, saved: Path, sql: str
) -> None:
    change_file(saved, sql)
    before = sorted(folder.rglob("*"))
    run("restore", saved, url="sqlite:///deep/deeper/restored.db")
    assert sorted(folder.rglob("*")) == before


def test_a_null_in_a_column_that_has_none_is_refused(saved: Path) -> None:
    nullable = rewrite("users", '"password_hash" TEXT NOT NULL', '"password_hash" TEXT')
    back = rewrite("users", '"password_hash" TEXT', '"password_hash" TEXT NOT NULL')
    change_file(saved, nullable)
    change_file(saved, "UPDATE users SET password_hash = NULL")
    change_file(saved, back)
    assert_refused(run("restore", saved))


def test_further_tables_are_let_be(folder: Path, saved: Path) -> None:
    change_file(saved, "CREATE TABLE notes AS SELECT 'kept' AS note")
    assert run("restore", saved, url="sqlite:///restored.db").exit_code == 0
    connection = apsw.Connection("restored.db")
    assert connection.execute("SELECT note FROM notes").fetchall() == [("kept",)]
    connection.close()


def test_a_further_index_that_only_makes_reading_faster_is_let_be(saved: Path) -> None:
    change_file(saved, "CREATE INDEX faster ON articles (title)")
    assert run("restore", saved).exit_code == 0


def test_the_check_of_a_further_table_is_not_run(saved: Path) -> None:
    change_file(saved, "CREATE TABLE notes (note CHECK (length(note) > 9)); ")
    change_file(saved, "PRAGMA ignore_check_constraints = on; INSERT INTO notes VALUES ('a')")
    assert run("restore", saved).exit_code == 0


def test_a_foreign_name_is_told_without_its_control_characters(saved: Path) -> None:
    change_file(saved, 'CREATE TRIGGER "\x1b[2J\n" AFTER INSERT ON users BEGIN SELECT 1; END')
    assert "\x1b" not in run("restore", saved).stderr


def test_an_older_backup_with_a_foreign_table_in_the_way_is_refused(saved: Path) -> None:
    saved.unlink()
    run("migrate", 1, url=f"sqlite:///{saved}")
    change_file(saved, "CREATE TABLE sessions (id); PRAGMA journal_mode = delete")
    result = run("restore", saved)
    assert_refused(result)
    assert "sessions" in result.stderr


def test_an_older_backup_with_a_foreign_index_in_the_way_is_refused(saved: Path) -> None:
    saved.unlink()
    run("migrate", 1, url=f"sqlite:///{saved}")
    change_file(
        saved,
        "CREATE TABLE notes (note); CREATE INDEX session_expires ON notes (note);"
        "PRAGMA journal_mode = delete",
    )
    result = run("restore", saved)
    assert_refused(result)
    assert "session_expires" in result.stderr


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_backup_with_a_part_of_it_beside_is_refused(saved: Path, suffix: str) -> None:
    saved.with_name(saved.name + suffix).write_bytes(b"the rest")
    assert_refused(run("restore", saved))


def test_a_journal_of_another_database_in_the_place_is_refused(folder: Path, saved: Path) -> None:
    (folder / "new.db-journal").write_bytes(b"the rest")
    assert_refused(run("restore", saved))


@pytest.mark.parametrize(
    "sql", ["DROP TABLE sessions", "CREATE TRIGGER spy AFTER INSERT ON users BEGIN SELECT 1; END"]
)
def test_a_database_that_restore_would_refuse_is_not_backed_up(folder: Path, sql: str) -> None:
    run("migrate")
    change_file(folder / "new.db", sql)
    assert_refused(run("backup", "backup.db"))
    assert not (folder / "backup.db").exists()


# secrets


@pytest.fixture
def live(folder: Path) -> Path:
    """The secret of a database in use, in a folder of its own."""
    (folder / "live").mkdir()
    fill("sqlite:///live/forum.db")
    make_secret(folder / "live/secret.key")
    return folder / "live/secret.key"


@pytest.fixture
def complete(folder: Path, live: Path) -> Path:
    """A backup with its secret."""
    assert backup("--with-secret").exit_code == 0
    return folder / "backup.db"


def backup(*options: str) -> Result:
    return run("backup", *options, "backup.db", url="sqlite:///live/forum.db")


def restore() -> Result:
    return run("restore", "backup.db", url="sqlite:///back/forum.db")


def test_a_backup_says_that_the_secret_is_not_in_it(live: Path) -> None:
    assert "secret is not in it" in backup().stderr


def test_a_backup_without_the_secret_has_it_nowhere(folder: Path, live: Path) -> None:
    backup()
    assert load_secrets(live)[0].encode() not in (folder / "backup.db").read_bytes()


def test_a_backup_with_the_secret_does_not_say_so(live: Path) -> None:
    assert backup("--with-secret").stderr == ""


def test_a_backup_with_the_secret_is_one_file_for_its_owner_alone(folder: Path, live: Path) -> None:
    umask = os.umask(0)
    before = set(files(folder))
    backup("--with-secret")
    os.umask(umask)
    assert set(files(folder)) - before == {"backup.db"}
    assert mode(folder / "backup.db") == "-rw-------"


def test_the_secrets_come_back_in_their_order(folder: Path, live: Path) -> None:
    add_secret(live)
    backup("--with-secret")
    restore()
    assert load_secrets(folder / "back/secret.key") == load_secrets(live)


def test_a_secret_that_comes_back_is_for_its_owner_alone(folder: Path, complete: Path) -> None:
    umask = os.umask(0)
    restore()
    os.umask(umask)
    assert mode(folder / "back/secret.key") == "-rw-------"


def test_a_restored_database_does_not_keep_the_secret(
    folder: Path, live: Path, complete: Path
) -> None:
    restore()
    data = (folder / "back/forum.db").read_bytes()
    assert (load_secrets(live)[0].encode() in data, b"backup_secrets" in data) == (False, False)


def test_a_restore_with_the_secret_leaves_two_files(folder: Path, complete: Path) -> None:
    result = restore()
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(files(folder / "back")) == ["forum.db", "secret.key"]


def test_a_restored_database_has_what_was_saved_beside_the_secret(complete: Path) -> None:
    restore()
    assert contents("sqlite:///back/forum.db") == contents("sqlite:///live/forum.db")


def test_a_secret_of_the_environment_is_not_saved(
    folder: Path, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORUM_SECRET_KEY", SECRET)
    assert_refused(backup("--with-secret"))
    assert not (folder / "backup.db").exists()


def test_a_secret_that_is_not_there_is_not_made_by_a_backup(folder: Path, live: Path) -> None:
    live.unlink()
    assert_refused(backup("--with-secret"))
    assert sorted(files(folder)) == ["live/forum.db"]


@pytest.mark.parametrize("damage", [b"", b"short", b"\xff" * 40])
def test_a_damaged_secret_is_not_saved(folder: Path, live: Path, damage: bytes) -> None:
    live.write_bytes(damage)
    assert_refused(backup("--with-secret"))
    assert not (folder / "backup.db").exists()


def test_a_restore_without_any_secret_says_that_tokens_are_lost(live: Path) -> None:
    backup()
    assert re.fullmatch("Tokens issued before are not valid: .*\n", restore().stderr)


def test_a_restore_beside_a_secret_says_nothing_of_tokens(folder: Path, live: Path) -> None:
    backup()
    make_secret(folder / "back/secret.key")
    assert restore().stderr == ""


def test_a_restore_with_a_secret_of_the_environment_says_nothing_of_tokens(
    live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup()
    monkeypatch.setenv("FORUM_SECRET_KEY", SECRET)
    assert restore().stderr == ""


def test_another_secret_in_the_folder_is_refused_and_left_alone(
    folder: Path, complete: Path
) -> None:
    make_secret(folder / "back/secret.key")
    before = files(folder)
    assert_refused(restore())
    assert files(folder) == before


def test_a_folder_that_knows_the_secret_already_keeps_its_file(
    folder: Path, live: Path, complete: Path
) -> None:
    path = folder / "back/secret.key"
    path.parent.mkdir()
    path.write_bytes(live.read_bytes())
    add_secret(path)
    before = path.read_bytes()
    assert (restore().stderr, path.read_bytes()) == ("", before)


def test_another_secret_of_the_environment_is_told(
    folder: Path, complete: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORUM_SECRET_KEY", SECRET)
    result = restore()
    assert result.exit_code == 0
    assert re.fullmatch("Tokens issued before are not valid: FORUM_SECRET_KEY .*\n", result.stderr)
    assert sorted(files(folder / "back")) == ["forum.db"]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE sessions",
        "UPDATE forum_backup_secrets SET secret = 'short'",
        "UPDATE forum_backup_secrets SET secret = secret || char(10) || secret",
        "UPDATE forum_backup_secrets SET secret = x'00'",
        "UPDATE forum_backup_secrets SET secret = CAST(x'ff' AS TEXT)",
        "DELETE FROM forum_backup_secrets",
        (
            "DROP TABLE forum_backup_secrets; CREATE VIEW forum_backup_secrets AS "
            "SELECT 1 AS position, hex(zeroblob(32)) AS secret"
        ),
    ],
)
def test_a_restore_that_is_refused_leaves_no_secret_behind(
    folder: Path, complete: Path, sql: str
) -> None:
    change_file(complete, sql)
    before = sorted(folder.rglob("*"))
    assert_refused(restore())
    assert sorted(folder.rglob("*")) == before


def test_a_secret_that_was_made_at_the_last_moment_takes_the_database_back(
    folder: Path, complete: Path
) -> None:
    path = folder / "back/secret.key"
    make_secret(path)
    with pytest.raises(FileExistsError):
        sqlite_backup.restore(complete, SqliteDatabase(folder / "back/forum.db", 0), path, [])
    assert sorted(files(folder / "back")) == ["secret.key"]


def test_a_database_with_a_secret_left_in_it_is_saved_without_it(
    folder: Path, live: Path, complete: Path
) -> None:
    complete.replace(folder / "live/forum.db")
    backup()
    assert load_secrets(live)[0].encode() not in (folder / "backup.db").read_bytes()
