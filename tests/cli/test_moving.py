import io
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import apsw.shell
import psycopg
import pytest
from click.testing import Result

from forum.adapters.passwords import Argon2Passwords
from forum.adapters.sql.migrations import migrate
from forum.cli.moving import hash_all, sentence_of
from forum.config import Settings
from forum.domain.model import Account, Article, Author, Draft, LastIds, Session, User
from forum.domain.moving.importing import LegacyWarning, Reason
from forum.main import build
from forum.storage import open_store, prepare
from tests.cli.conftest import NewUrl, invoke
from tests.conftest import SECRET
from tests.contract.conftest import Store, sql_store
from tests.http.conftest import Client
from tests.support.stores import open_database

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2020, 2, 2, 0, 17, 49, 735642, UTC)
DAY = timedelta(days=1)

KINDS = ["sqlite", "postgres"]
PAIRS = [(source, target) for source in KINDS for target in KINDS]

LABELS = ["users", "articles", "sessions"]

Contents = tuple[list[Account], list[Article], list[tuple[int, Session]], LastIds]
OldRow = tuple[object, ...]

OLD_SCHEMA = """
    CREATE TABLE user (
        id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(20), password VARCHAR(40),
        date_registered DATETIME
    );
    CREATE TABLE article (
        id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(300), text TEXT, date_posted DATETIME,
        user_id INTEGER, FOREIGN KEY(user_id) REFERENCES user (id)
    );
"""
OLD_USERS: list[OldRow] = [
    (3, "alice#1", "Password#1", "2020-02-02 00:17:49.735642"),
    (7, "bobby#2", "Password#2", "2020-02-03 10:00:00.000000"),
]
OLD_ARTICLES: list[OldRow] = [
    (5, "First", "The first text", "2020-02-02 00:20:00.000001", 3),
    (9, "Zweiter ☃", "a\r\nb 😀", "2020-02-04 00:00:00.000000", 7),
]

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from forum.adapters.sql.articles import SqlArticles
from forum.adapters.sql.sqlite import SqliteDatabase
from forum.domain.model import Author, Draft

articles = SqlArticles(SqliteDatabase(Path(sys.argv[1]), busy_timeout=30))
draft = Draft("A title", "A text" * 100)
while True:
    article = articles.add(Author(1, "alice#1"), draft, datetime.now(UTC))
    print(article.id, flush=True)
"""


@pytest.fixture(autouse=True)
def _impatient(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a database gives up soon."""
    monkeypatch.setenv("FORUM_STORE_TIMEOUT", "0.2")


@pytest.fixture
def old_file(folder: Path) -> Path:
    """The database of the older program."""
    return write_old(folder / "old.sqlite", OLD_USERS, OLD_ARTICLES)


@pytest.fixture
def database(folder: Path) -> Path:
    """A database in use: its last writes are beside it."""
    path = folder / "forum.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def saved(folder: Path, database: Path) -> Path:
    """A good backup."""
    path = folder / "saved.db"
    assert run("backup", path, url=f"sqlite:///{database}").exit_code == 0
    return path


def run(*arguments: object, url: str = "sqlite:///new.db") -> Result:
    """What a command says in this process."""
    return invoke(list(map(str, arguments)), {"FORUM_DATABASE_URL": url})


def start(*arguments: object, url: str = "sqlite:///new.db") -> subprocess.Popen[str]:
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "forum", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "FORUM_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The status of a process, and what it said."""
    output, errors = process.communicate(timeout=30)
    return process.returncode, output, errors


@contextmanager
def opened(url: str) -> Iterator[Store]:
    database = open_database(url, timeout=5)
    try:
        database.create()
        migrate(database)
        yield sql_store(database)
    finally:
        database.close()


def contents(url: str) -> Contents:
    with opened(url) as store, store.bulk.snapshot():
        bulk = store.bulk
        return (
            list(bulk.accounts()),
            list(bulk.articles()),
            list(bulk.sessions()),
            bulk.last_ids(),
        )


def fill(url: str) -> Contents:
    """Users, one of them disabled, articles, a session; and the newest of each is deleted again."""
    with opened(url) as store:
        account = store.account("alice#1")
        alice = Author(account.user.id, account.user.username)
        disabled = store.author("bobby#2")
        newest = store.account("carol#3")
        store.users.set_disabled(disabled.id, is_disabled=True)
        store.articles.add(alice, Draft("A title", "Ünïcödé ☃ 😀\r\n"), NOW.replace(microsecond=0))
        store.articles.add(disabled, Draft("", "x" * 50_000), NOW)
        store.articles.add(Author(newest.user.id, newest.user.username), Draft("Gone", "Gone"), NOW)
        store.sessions.begin(account, NOW, NOW + DAY)
        store.sessions.begin(newest, NOW, NOW + DAY)
        store.users.delete(newest.user.id, None)
    return contents(url)


def write_old(
    path: Path, users: list[OldRow], articles: list[OldRow], schema: str = OLD_SCHEMA
) -> Path:
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(schema)
        as_text = "CAST(? AS TEXT), CAST(? AS TEXT)"
        connection.executemany(f"INSERT INTO user VALUES (?, {as_text}, ?)", users)
        connection.executemany(f"INSERT INTO article VALUES (?, {as_text}, ?, ?)", articles)
    return path


def change_file(path: Path, sql: str) -> Path:
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute(sql)
    return path


def files(folder: Path) -> dict[str, bytes]:
    """Every file and what is in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def states(folder: Path) -> dict[str, bytes | str]:
    """Every file and what is in it: the statements that make a database, and the bytes of any other
    file.
    """
    return {name: dump(data) or data for name, data in files(folder).items()}


def dump(data: bytes) -> str:
    """The statements that make a database; empty where it is none."""
    output = io.StringIO()
    not_wal = data[:18] + b"\1\1" + data[20:]
    with suppress(apsw.Error), closing(apsw.Connection(":memory:")) as connection:
        connection.deserialize("main", not_wal)
        connection.execute("SELECT * FROM sqlite_schema")
        apsw.shell.Shell(db=connection, stdout=output).process_complete_line(".dump")
    lines = output.getvalue().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def settings(url: str) -> Settings:
    return replace(Settings.from_environment().on(url), secret_key=SECRET)


@contextmanager
def service(url: str) -> Iterator[Client]:
    with Client(build(settings(url), open_store(settings(url)))) as client:
        yield client


def assert_refused(result: Result) -> None:
    """The command ended with 1 and one line."""
    assert result.exit_code == 1
    assert re.fullmatch(r"Error: [^\n]+\n", result.stderr), result.stderr
    assert result.stdout == ""


# copy


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_copy_has_all_users_articles_and_last_ids(
    new_url: NewUrl, source: str, target: str
) -> None:
    old, new = new_url(source), new_url(target)
    expected = fill(old)
    assert run("copy", old, new).exit_code == 0
    assert contents(new) == expected


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_ids_of_a_copy_go_on_after_those_of_the_deleted_newest(
    new_url: NewUrl, source: str, target: str
) -> None:
    old, new = new_url(source), new_url(target)
    last = fill(old)[3]
    run("copy", old, new)
    with opened(new) as store:
        account = store.account("dave#4")
        article = store.articles.add(Author(1, "alice#1"), Draft("A title", "A text"), NOW)
        session = store.sessions.begin(account, NOW, NOW + DAY)
    assert article
    assert session
    assert (account.user.id, article.id, session.id) == (
        last.user + 1,
        last.article + 1,
        last.session + 1,
    )


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_copy_changes_nothing_in_its_source(new_url: NewUrl, source: str, target: str) -> None:
    old = new_url(source)
    expected = fill(old)
    run("copy", old, new_url(target))
    assert contents(old) == expected


@pytest.mark.parametrize("target", KINDS)
def test_a_copy_of_an_empty_database_is_empty(new_url: NewUrl, target: str) -> None:
    old, new = new_url("sqlite"), new_url(target)
    run("migrate", url=old)
    assert run("copy", old, new).exit_code == 0
    assert contents(new) == ([], [], [], LastIds(0, 0, 0))


def test_a_copy_tells_in_the_end_how_much_there_is_and_its_checksum(new_url: NewUrl) -> None:
    old = new_url("sqlite")
    fill(old)
    output = run("copy", old, new_url("sqlite")).stdout
    expected = r"copied 2 users, 2 articles, 1 sessions and 0 audit entries; SHA-256 [0-9a-f]{64}\n"
    assert re.fullmatch(expected, output)


def test_copies_in_either_kind_of_database_have_the_same_checksum(new_url: NewUrl) -> None:
    first, second, third = new_url("sqlite"), new_url("postgres"), new_url("sqlite")
    fill(first)
    there = run("copy", first, second).stdout
    assert there == run("copy", second, third).stdout


def test_a_copy_shows_its_progress(new_url: NewUrl) -> None:
    old = new_url("sqlite")
    fill(old)
    shown = run("copy", old, new_url("sqlite")).stderr.split()
    assert [word for word in shown if word in LABELS] == LABELS


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_who_is_logged_in_stays_so_in_a_copy(new_url: NewUrl, source: str, target: str) -> None:
    old, new = new_url(source), new_url(target)
    prepare(settings(old))
    with service(old) as client:
        token = client.sign_up("alice#1")
    run("copy", old, new)
    with service(new) as client:
        assert client.post("/verify-token", {"access-token": token}).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_into_a_database_with_users_is_refused(new_url: NewUrl, kind: str) -> None:
    old, new = new_url("sqlite"), new_url(kind)
    fill(old)
    with opened(new) as store:
        store.author("dave#4")
    assert_refused(run("copy", old, new))


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_copy_leaves_its_target_as_it_was(new_url: NewUrl, kind: str) -> None:
    old, new = new_url("sqlite"), new_url(kind)
    fill(old)
    with opened(new) as store:
        store.author("dave#4")
    before = contents(new)
    run("copy", old, new)
    assert contents(new) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_is_not_copied_onto_itself(new_url: NewUrl, kind: str) -> None:
    url = new_url(kind)
    fill(url)
    assert_refused(run("copy", url, url))


def test_a_copy_that_the_target_cannot_hold_is_refused_in_one_line(new_url: NewUrl) -> None:
    old, new = new_url("sqlite"), new_url("postgres")
    with opened(old) as store:
        store.articles.add(store.author(), Draft("A title", "a text with a \0 in it"), NOW)
    result = run("copy", old, new)
    assert result.exit_code == 1
    assert result.stderr.count("Error: ") == result.stderr.count("\n") - 2  # labels of the progress


def test_a_copy_that_the_target_cannot_hold_leaves_nothing_in_it(new_url: NewUrl) -> None:
    old, new = new_url("sqlite"), new_url("postgres")
    with opened(old) as store:
        store.articles.add(store.author(), Draft("A title", "a text with a \0 in it"), NOW)
    run("copy", old, new)
    assert contents(new) == ([], [], [], LastIds(0, 0, 0))


def test_an_empty_postgresql_database_is_refused_as_a_source(new_url: NewUrl) -> None:
    assert_refused(run("copy", new_url("postgres"), new_url("sqlite")))


def test_a_postgresql_database_that_is_refused_as_a_source_stays_empty(new_url: NewUrl) -> None:
    url = new_url("postgres")
    run("copy", url, new_url("sqlite"))
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT * FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall() == []


# import-flaskapi


@pytest.mark.parametrize("kind", KINDS)
def test_users_and_articles_move_in_with_ids_dates_and_authors(
    new_url: NewUrl, old_file: Path, kind: str
) -> None:
    url = new_url(kind)
    assert run("import-flaskapi", old_file, url=url).exit_code == 0
    accounts, articles, _, last = contents(url)
    assert ([each.user for each in accounts], articles, last) == (
        [
            User(3, "alice#1", NOW),
            User(7, "bobby#2", datetime(2020, 2, 3, 10, tzinfo=UTC)),
        ],
        [
            Article(
                5,
                "First",
                "The first text",
                datetime(2020, 2, 2, 0, 20, 0, 1, UTC),
                Author(3, "alice#1"),
            ),
            Article(
                9, "Zweiter ☃", "a\r\nb 😀", datetime(2020, 2, 4, tzinfo=UTC), Author(7, "bobby#2")
            ),
        ],
        LastIds(7, 9),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_who_moved_in_logs_in_with_the_old_password(
    new_url: NewUrl, old_file: Path, kind: str
) -> None:
    url = new_url(kind)
    run("import-flaskapi", old_file, url=url)
    with service(url) as client:
        answers = [
            client.post("/login", {"username": name, "password": password}).json
            for _, name, password, _ in OLD_USERS
        ]
    assert [(each["user_id"], each["username"]) for each in answers] == [
        (3, "alice#1"),
        (7, "bobby#2"),
    ]


def test_who_moved_in_does_not_log_in_with_the_password_of_another(
    new_url: NewUrl, old_file: Path
) -> None:
    url = new_url("sqlite")
    run("import-flaskapi", old_file, url=url)
    with service(url) as client:
        refused = client.post("/login", {"username": "alice#1", "password": "Password#2"})
    assert refused.status_code == 401


@pytest.mark.parametrize("kind", KINDS)
def test_old_links_show_the_articles_that_they_showed(
    new_url: NewUrl, old_file: Path, kind: str
) -> None:
    url = new_url(kind)
    run("import-flaskapi", old_file, url=url)
    with service(url) as client:
        assert client.get("/articles/9").json == {
            "id": 9,
            "title": "Zweiter ☃",
            "text": "a\r\nb 😀",
            "date_posted": "2020-02-04T00:00:00.000000",
            "user_id": 7,
            "author.username": "bobby#2",
        }


@pytest.mark.parametrize("kind", KINDS)
def test_who_moved_in_goes_on_writing(new_url: NewUrl, old_file: Path, kind: str) -> None:
    url = new_url(kind)
    run("import-flaskapi", old_file, url=url)
    with service(url) as client:
        token = client.post("/login", {"username": "alice#1", "password": "Password#1"}).json
        assert client.write(token["access-token"]) == 10


def test_passwords_are_kept_as_argon2id_alone(new_url: NewUrl, old_file: Path) -> None:
    url = new_url("sqlite")
    run("import-flaskapi", old_file, url=url)
    hashes = [each.password_hash for each in contents(url)[0]]
    assert [each.split("$")[1:4] for each in hashes] == 2 * [
        ["argon2id", "v=19", "m=19456,t=2,p=1"]
    ]


def test_no_file_of_the_new_database_has_an_old_password_in_it(
    folder: Path, new_url: NewUrl, old_file: Path
) -> None:
    run("import-flaskapi", old_file, url=new_url("sqlite"))
    old_file.unlink()
    assert [name for name, data in files(folder).items() if b"Password#1" in data] == []


@pytest.mark.parametrize("reason", Reason)
def test_every_warning_is_a_sentence(reason: Reason) -> None:
    assert sentence_of(LegacyWarning(reason, 5, "alice#1", 7)).startswith(("user 5", "article 5"))


def test_hashes_come_in_the_order_of_their_passwords() -> None:
    passwords = [f"Password#{number}" for number in range(6)]
    hashes = hash_all(settings("memory://"), passwords)
    hasher = Argon2Passwords()
    assert [hasher.verify(*pair) for pair in zip(hashes, passwords, strict=True)] == 6 * [True]


def test_an_import_changes_nothing_in_the_old_file(old_file: Path) -> None:
    before = old_file.read_bytes()
    run("import-flaskapi", old_file)
    assert old_file.read_bytes() == before


def test_an_import_leaves_only_the_new_database(folder: Path, old_file: Path) -> None:
    run("import-flaskapi", old_file)
    assert sorted(files(folder)) == ["new.db", "old.sqlite"]


def test_an_import_tells_in_the_end_how_much_came(old_file: Path) -> None:
    assert (
        run("import-flaskapi", old_file).stdout == "2 users and 2 articles imported; 0 warnings\n"
    )


def test_an_import_shows_its_progress(old_file: Path) -> None:
    shown = run("import-flaskapi", old_file).stderr.split()
    assert [word for word in shown if word in {"users", "articles"}] == ["users", "articles"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_import_changes_nothing(new_url: NewUrl, old_file: Path, kind: str) -> None:
    url = new_url(kind)
    run("import-flaskapi", old_file, url=url)
    before = contents(url)
    assert run("import-flaskapi", old_file, url=url).exit_code == 0
    assert contents(url) == before


def test_a_second_import_says_so(old_file: Path) -> None:
    run("import-flaskapi", old_file)
    assert run("import-flaskapi", old_file).stdout == (
        "2 users and 2 articles were imported before; 0 warnings\n"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_import_into_a_database_of_others_is_refused(
    new_url: NewUrl, old_file: Path, kind: str
) -> None:
    url = new_url(kind)
    with opened(url) as store:
        store.author("dave#4")
    assert_refused(run("import-flaskapi", old_file, url=url))


def test_everything_that_needs_an_eye_is_told(folder: Path) -> None:
    date = "2020-02-02 00:17:49.735642"
    old = write_old(
        folder / "odd.sqlite",
        [(1, "alice#1\n", "Password#1", date), (2, "bobby#2", "Password#2", "yesterday")],
        [(5, "Orphan", "A text", date, None), (6, "Another", "A text", date, 2)],
    )
    assert run("import-flaskapi", old).stdout.splitlines() == [
        "user 1 ('alice#1\\n') cannot log in: the name breaks today's rules",
        "user 2 ('bobby#2') was not imported: the id, the name or the date cannot be read",
        "article 5 was not imported: its author, user None, is not there",
        "article 6 was not imported: its author, user 2, is not there",
        "1 users and 0 articles imported; 4 warnings",
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (b"a\0b", "a\ufffdb"),
        (b"a\xffb", "a\ufffdb"),
        (b"a\xed\xa0\x80b", "a\ufffd\ufffd\ufffdb"),
        ("Zweiter ☃ 😀".encode(), "Zweiter ☃ 😀"),
    ],
    ids=["NUL", "no UTF-8", "surrogate", "UTF-8"],
)
def test_what_no_store_can_keep_is_replaced_in_old_texts(
    folder: Path, new_url: NewUrl, kind: str, stored: bytes, expected: str
) -> None:
    url = new_url(kind)
    article: OldRow = (5, stored, stored, "2020-02-02 00:17:49.735642", 3)
    run("import-flaskapi", write_old(folder / "odd.sqlite", OLD_USERS[:1], [article]), url=url)
    assert [(each.title, each.text) for each in contents(url)[1]] == [(expected, expected)]


def test_ids_that_are_no_numbers_are_told(folder: Path) -> None:
    date = "2020-02-02 00:17:49.735642"
    schema = OLD_SCHEMA.replace("INTEGER NOT NULL PRIMARY KEY", "ANY").replace("INTEGER", "ANY")
    users: list[OldRow] = [(1, "alice#1", "Password#1", date)]
    articles: list[OldRow] = [(5, "A title", "A text", date, 1), (6, "Other", "A text", date, "x")]
    for odd in (None, "abc", 2.5, b"1"):
        users.append((odd, "bobby#2", "Password#2", date))
        articles.append((odd, "A title", "A text", date, 1))
    output = run("import-flaskapi", write_old(folder / "odd.sqlite", users, articles, schema))
    assert output.stdout.splitlines()[-1] == "1 users and 1 articles imported; 9 warnings"


@pytest.mark.parametrize("name", [b"alice\0#1", b"alice\xff#1"], ids=["NUL", "no UTF-8"])
def test_a_name_that_no_store_can_keep_is_warned_of(folder: Path, name: bytes) -> None:
    users: list[OldRow] = [(3, name, "Password#1", "2020-02-02 00:17:49.735642")]
    output = run("import-flaskapi", write_old(folder / "odd.sqlite", users, [])).stdout
    assert output.splitlines()[0] == (
        "user 3 ('alice�#1') cannot log in: the name breaks today's rules"
    )


@pytest.mark.parametrize("stored", [b"a\0b", b"a\xffb"], ids=["NUL", "no UTF-8"])
def test_a_text_that_was_altered_is_warned_of(folder: Path, stored: bytes) -> None:
    article: OldRow = (5, "A title", stored, "2020-02-02 00:17:49.735642", 3)
    output = run("import-flaskapi", write_old(folder / "odd.sqlite", OLD_USERS[:1], [article]))
    assert output.stdout.splitlines()[-1] == "1 users and 1 articles imported; 1 warnings"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("2020-02-02 00:17:49.000000", NOW.replace(microsecond=0)),
        ("2020-02-02 00:17:49", NOW.replace(microsecond=0)),
        ("2020-02-02T02:17:49.735642+02:00", NOW),
        ("2020-02-02 00:17:49.000001", NOW.replace(microsecond=1)),
        ("9999-12-31 23:59:59.999999", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_old_dates_are_those_of_utc(
    folder: Path, new_url: NewUrl, kind: str, stored: str, expected: datetime
) -> None:
    url = new_url(kind)
    old = write_old(folder / "odd.sqlite", [(3, "alice#1", "Password#1", stored)], [])
    run("import-flaskapi", old, url=url)
    assert [each.user.date_registered for each in contents(url)[0]] == [expected]


def test_an_import_that_is_killed_keeps_nothing(folder: Path, new_url: NewUrl) -> None:
    many: list[OldRow] = [
        (id, f"user#{id}", "Password#1", "2020-02-02 00:17:49.735642") for id in range(1, 101)
    ]
    url = new_url("sqlite")
    process = start("import-flaskapi", write_old(folder / "many.sqlite", many, []), url=url)
    assert process.stderr
    assert any("users" in line for line in process.stderr)
    process.kill()
    finish(process)
    assert contents(url) == ([], [], [], LastIds(0, 0, 0))


# backup and restore


def test_a_restored_backup_has_what_was_saved(folder: Path, database: Path, saved: Path) -> None:
    url = f"sqlite:///{folder}/restored.db"
    assert run("restore", saved, url=url).exit_code == 0
    assert contents(url) == contents(f"sqlite:///{database}")


def test_a_backup_is_one_file(folder: Path, database: Path) -> None:
    before = set(files(folder))
    run("backup", "backup.db", url=f"sqlite:///{database}")
    assert set(files(folder)) - before == {"backup.db"}


def test_a_backup_has_what_is_only_beside_the_database_yet(folder: Path) -> None:
    url = f"sqlite:///{folder}/forum.db"
    with opened(url) as store:
        store.author()
        run("backup", "backup.db", url=url)
    assert len(contents(f"sqlite:///{folder}/backup.db")[0]) == 1


def test_a_backup_does_not_wait_for_a_writer(database: Path) -> None:
    with closing(apsw.Connection(str(database))) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert run("backup", "backup.db", url=f"sqlite:///{database}").exit_code == 0


@contextmanager
def writers(number: int, path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that write articles, and tell the id of each when it was stored."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WRITER, path],
                    env={**os.environ, "PYTHONPATH": str(ROOT)},
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(number)
        ]
        try:
            yield processes
        finally:
            for process in processes:
                process.kill()


def told(process: subprocess.Popen[str], number: int) -> set[int]:
    """The next ids that a writer tells."""
    assert process.stdout
    return {int(process.stdout.readline()) for _ in range(number)}


def test_a_backup_has_every_write_that_was_answered_before(folder: Path, database: Path) -> None:
    url = f"sqlite:///{database}"
    answered: set[int] = set()
    missing = []
    with writers(2, database) as processes:
        for each in range(3):
            answered |= set().union(*(told(process, 30) for process in processes))
            status, _, errors = finish(start("backup", f"{each}.db", url=url))
            assert status == 0, errors
            found = contents(f"sqlite:///{folder}/{each}.db")[1]
            missing.append(answered - {article.id for article in found})
    assert missing == [set(), set(), set()]


def test_a_backup_under_writers_can_be_restored(folder: Path, database: Path) -> None:
    with writers(2, database) as processes:
        for process in processes:
            told(process, 10)
        run("backup", "backup.db", url=f"sqlite:///{database}")
    assert run("restore", "backup.db", url=f"sqlite:///{folder}/restored.db").exit_code == 0


def test_of_several_backups_to_one_file_at_once_one_is_made(database: Path) -> None:
    processes = [start("backup", "backup.db", url=f"sqlite:///{database}") for _ in range(4)]
    assert sorted(finish(process)[0] for process in processes) == [0, 1, 1, 1]


def test_a_backup_goes_around_what_is_left_of_a_killed_one(folder: Path, database: Path) -> None:
    run("backup", ".backup.db.part", url=f"sqlite:///{database}")
    run("backup", "backup.db", url=f"sqlite:///{database}")
    assert run("restore", "backup.db", url=f"sqlite:///{folder}/restored.db").exit_code == 0


def test_a_backup_follows_no_link_laid_in_its_way(folder: Path, database: Path) -> None:
    victim = folder / "victim"
    victim.write_text("precious")
    (folder / ".backup.db.part").symlink_to(victim)
    run("backup", "backup.db", url=f"sqlite:///{database}")
    assert victim.read_text() == "precious"


def test_an_older_backup_is_brought_up_to_date(folder: Path) -> None:
    run("migrate", 1, url="sqlite:///older.db")
    run("backup", "backup.db", url="sqlite:///older.db")
    assert run("restore", "backup.db", url="sqlite:///restored.db").exit_code == 0
    assert contents(f"sqlite:///{folder}/restored.db") == ([], [], [], LastIds(0, 0, 0))


def test_a_backup_is_restored_into_a_folder_that_is_made(folder: Path, saved: Path) -> None:
    run("restore", saved, url="sqlite:///deep/deeper/restored.db")
    assert contents(f"sqlite:///{folder}/deep/deeper/restored.db")[3] == LastIds(3, 3, 2)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_restore_leaves_nothing_beside_the_database(
    folder: Path, saved: Path, journal: str
) -> None:
    change_file(saved, f"PRAGMA journal_mode = {journal}")
    before = set(files(folder))
    run("restore", saved, url="sqlite:///restored.db")
    assert set(files(folder)) - before == {"restored.db"}


def test_a_copy_without_what_was_beside_it_is_not_restored(folder: Path) -> None:
    with opened("sqlite:///live.db") as store:
        store.author()
        assert_refused(run("restore", "live.db", url="sqlite:///restored.db"))


def test_a_backup_is_not_restored_onto_a_database(database: Path, saved: Path) -> None:
    assert_refused(run("restore", saved, url=f"sqlite:///{database}"))


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_backup_is_not_restored_beside_the_rest_of_another_database(
    folder: Path, saved: Path, suffix: str
) -> None:
    (folder / f"restored.db{suffix}").write_bytes(b"the rest")
    assert_refused(run("restore", saved, url="sqlite:///restored.db"))


@pytest.mark.parametrize("target", ["forum.db", "restored.db"])
def test_a_refused_restore_changes_no_file(folder: Path, saved: Path, target: str) -> None:
    (folder / "restored.db-wal").write_bytes(b"the rest")
    before = files(folder)
    run("restore", saved, url=f"sqlite:///{target}")
    assert files(folder) == before


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["backup", "made.db"], "made.db"),
        (["restore", "saved.db"], "new.db"),
        (["copy", "sqlite:///forum.db", "sqlite:///made.db"], "made.db"),
        (["import-flaskapi", "old.sqlite"], "new.db"),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_what_a_command_makes_is_for_its_owner_alone(
    folder: Path, saved: Path, old_file: Path, arguments: list[str], made: str
) -> None:
    saved.chmod(0o644)
    url = "sqlite:///forum.db" if arguments[0] == "backup" else "sqlite:///new.db"
    umask = os.umask(0)
    try:
        run(*arguments, url=url)
    finally:
        os.umask(umask)
    assert mode(folder / made) == "-rw-------"


def test_what_is_left_of_a_killed_backup_opens_a_new_one_to_nobody(
    folder: Path, database: Path
) -> None:
    (folder / ".backup.db.part").touch(0o644)
    run("backup", "backup.db", url=f"sqlite:///{database}")
    assert mode(folder / "backup.db") == "-rw-------"


# bad input


@pytest.fixture
def odd_files(folder: Path, saved: Path, old_file: Path) -> Path:
    """A folder with all that a command may be given by mistake."""
    good, old = saved.read_bytes(), old_file.read_bytes()
    (folder / "empty.db").touch()
    (folder / "garbage.db").write_bytes(b"garbage" * 1000)
    (folder / "short.db").write_bytes(good[: len(good) // 2])
    (folder / "short.sqlite").write_bytes(old[:4096])
    (folder / "shuffled.db").write_bytes(good[:36] + b"\0\0\0\7" + good[40:])
    change_file(folder / "foreign.db", "CREATE TABLE things (id INTEGER PRIMARY KEY)")
    change_file(folder / "foreign.sqlite", "CREATE TABLE user (id); CREATE TABLE article (id)")
    run("migrate", 1, url="sqlite:///older.db")
    newer = "INSERT INTO schema_migration (name, applied) VALUES ('0099_later', '2030-01-01')"
    change_file(Path(shutil.copy(saved, folder / "newer.db")), newer)
    change_file(Path(shutil.copy(saved, folder / "unsound.db")), UNSOUND)
    (folder / "closed").mkdir()
    return folder


UNSOUND = """
    PRAGMA writable_schema = on;
    DELETE FROM sqlite_schema WHERE name = 'article_date_posted_id';
    PRAGMA writable_schema = reset
"""

NEW = "sqlite:///new.db"

REFUSED = [
    *(
        (["restore", name], NEW)
        for name in [
            "empty.db",
            "garbage.db",
            "short.db",
            "shuffled.db",
            "unsound.db",
            "foreign.db",
            "newer.db",
            "old.sqlite",
        ]
    ),
    *(
        (["import-flaskapi", name], NEW)
        for name in [
            "empty.db",
            "garbage.db",
            "short.sqlite",
            "foreign.db",
            "foreign.sqlite",
            "saved.db",
        ]
    ),
    *(
        (["copy", source, NEW], NEW)
        for source in [
            "sqlite:///missing.db",
            "sqlite:///nowhere/missing.db",
            "sqlite:///closed",
            "sqlite:///empty.db",
            "sqlite:///garbage.db",
            "sqlite:///short.db",
            "sqlite:///foreign.db",
            "sqlite:///older.db",
            "sqlite:///newer.db",
            "memory://",
            "sqlite://",
            "forum.db",
            "mysql://localhost/forum",
            "postgresql://localhost/forum?nonsense=1",
        ]
    ),
    *(
        (["copy", "sqlite:///forum.db", target], NEW)
        for target in [
            "memory://",
            "sqlite:///:memory:",
            "sqlite:///closed",
            "sqlite:///garbage.db",
            "sqlite:///newer.db",
            "sqlite:///saved.db",
            "sqlite:///garbage.db/new.db",
            "mysql://localhost/forum",
        ]
    ),
    (["backup", "backup.db"], "sqlite:///missing.db"),
    (["backup", "backup.db"], "sqlite:///nowhere/missing.db"),
    (["backup", "backup.db"], "sqlite:///garbage.db"),
    (["backup", "backup.db"], "memory://"),
    (["backup", "backup.db"], "postgresql://localhost/forum"),
    (["backup", "saved.db"], "sqlite:///forum.db"),
    (["backup", "forum.db"], "sqlite:///forum.db"),
    (["backup", "closed"], "sqlite:///forum.db"),
    (["backup", "nowhere/backup.db"], "sqlite:///forum.db"),
    (["restore", "saved.db"], "memory://"),
    (["restore", "saved.db"], "postgresql://localhost/forum"),
    (["restore", "saved.db"], "sqlite:///closed"),
    (["restore", "saved.db"], "sqlite:///garbage.db/new.db"),
    (["import-flaskapi", "old.sqlite"], "memory://"),
    (["import-flaskapi", "old.sqlite"], "sqlite:///closed"),
    (["import-flaskapi", "old.sqlite"], "sqlite:///garbage.db"),
    (["import-flaskapi", "old.sqlite"], "sqlite:///newer.db"),
]


def name_of(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize(("arguments", "url"), REFUSED, ids=name_of)
def test_bad_input_is_refused_in_one_line_and_changes_and_leaves_no_file(
    odd_files: Path, arguments: list[str], url: str
) -> None:
    before = states(odd_files)
    assert_refused(run(*arguments, url=url))
    assert states(odd_files) == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["copy"],
        ["copy", NEW],
        ["backup"],
        ["restore"],
        ["restore", "missing.db"],
        ["restore", "closed"],
        ["import-flaskapi"],
        ["import-flaskapi", "missing.db"],
        ["import-flaskapi", "closed"],
        ["backup", "a.db", "b.db"],
    ],
    ids=name_of,
)
def test_wrong_usage_ends_with_2(odd_files: Path, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("command", ["restore", "import-flaskapi"])
def test_a_missing_file_leaves_no_other(folder: Path, command: str) -> None:
    run(command, "missing.db")
    assert files(folder) == {}


@pytest.mark.parametrize(
    "arguments",
    [["copy", "sqlite:///forum.db", NEW], ["import-flaskapi", "old.sqlite"]],
    ids=name_of,
)
def test_a_target_that_another_process_writes_in_is_refused_in_one_line(
    folder: Path, database: Path, old_file: Path, arguments: list[str]
) -> None:
    run("migrate", url=NEW)
    with closing(apsw.Connection(str(folder / "new.db"))) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert_refused(run(*arguments))


@pytest.fixture(params=["refusing", "silent"])
def dead_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that is not there, or takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if request.param == "refusing":
            listener.close()
        yield f"postgresql://forum:hidden@127.0.0.1:{port}/forum"


@pytest.mark.parametrize("command", ["copy from", "copy to", "import-flaskapi"])
def test_a_command_on_a_dead_server_ends_with_one_line(
    database: Path, old_file: Path, dead_url: str, command: str
) -> None:
    arguments = {
        "copy from": ["copy", dead_url, NEW],
        "copy to": ["copy", f"sqlite:///{database}", dead_url],
        "import-flaskapi": ["import-flaskapi", str(old_file)],
    }[command]
    status, output, errors = finish(start(*arguments, url=dead_url))
    assert (status, output) == (1, "")
    assert re.fullmatch(r"Error: [^\n]+\n", errors), errors
    assert "hidden" not in errors
