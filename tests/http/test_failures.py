import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import apsw
import pytest
from falcon.testing import Result

from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.sessions import MemorySessions
from forum.adapters.memory.tables import MemoryTables
from forum.adapters.memory.users import MemoryUsers
from forum.adapters.tokens import JwtTokens
from forum.config import Settings
from forum.domain.errors import Unavailable
from forum.domain.model import TokenClaims
from tests.conftest import SECRET
from tests.http.conftest import PASSWORD, Client, answer, assemble, ok, refusal
from tests.support.lines import written

UNAVAILABLE = refusal(503, "Service is unavailable, try again later")
UNEXPECTED = refusal(500, "Internal server error")

SECRET_WORDS = 'relation "users" at /srv/forum/data.db line 7'

TOKEN = JwtTokens(lambda: [SECRET]).issue(TokenClaims(1, 1, datetime(2100, 1, 1, tzinfo=UTC)))
BODY = {
    "username": "alice#1",
    "password": PASSWORD,
    "access-token": TOKEN,
    "title": "A title",
    "text": "A text",
}

ON_ARTICLES = [
    ("GET", "/articles"),
    ("GET", "/articles/1"),
    ("POST", "/articles/new"),
    ("PUT", "/articles/1/edit"),
    ("DELETE", "/articles/1/delete"),
    ("GET", "/users/1/articles"),
]
ON_USERS = [
    ("POST", "/register"),
    ("POST", "/login"),
    ("POST", "/verify-token"),
    ("POST", "/logout"),
    ("GET", "/users/1"),
]


class Broken:
    """A repository that fails, whatever it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        def fail(*arguments: object) -> NoReturn:
            raise self._error

        return fail


class BrokenAtFirst:
    """A repository that fails once, and works from then on."""

    def __init__(self, error: Exception, repository: object) -> None:
        self._errors = [error]
        self._repository = repository

    def __getattr__(self, name: str) -> Any:
        if self._errors:
            return getattr(Broken(self._errors.pop()), name)
        return getattr(self._repository, name)


Forum = Callable[[Exception], Client]
"""Makes a forum whose store fails like this."""


def with_broken_articles(error: Exception) -> Client:
    """The forum of alice, in which no article can be reached."""
    store, now = MemoryTables(), datetime.now(UTC)
    users = MemoryUsers(store)
    users.add("alice#1", "a hash that nobody can read", now)
    for account in users.find_all():
        MemorySessions(store).begin(account, now, now + timedelta(days=1))
    return Client(assemble(store, articles=Broken(error)))


def with_broken_users(error: Exception) -> Client:
    """A forum in which no user and no session can be reached."""
    return Client(assemble(MemoryTables(), users=Broken(error), sessions=Broken(error)))


def send(client: Client, method: str, path: str) -> Result:
    return client.request(method, path, json=None if method in ("GET", "HEAD") else BODY)


@pytest.fixture(
    params=[
        *((with_broken_articles, *each) for each in ON_ARTICLES),
        *((with_broken_users, *each) for each in ON_USERS),
    ],
    ids=lambda each: " ".join(each[1:]),
)
def failing(request: pytest.FixtureRequest) -> tuple[Forum, str, str]:
    """A forum with a broken store, and a request that needs it."""
    forum: tuple[Forum, str, str] = request.param
    return forum


def test_a_store_that_cannot_answer_makes_the_service_unavailable(
    failing: tuple[Forum, str, str],
) -> None:
    forum, method, path = failing
    with forum(Unavailable()) as client:
        assert answer(send(client, method, path)) == UNAVAILABLE


def test_an_unavailable_service_says_when_to_try_again(failing: tuple[Forum, str, str]) -> None:
    forum, method, path = failing
    with forum(Unavailable()) as client:
        assert int(send(client, method, path).headers["retry-after"]) > 0


@pytest.fixture
def store_of_yesterday() -> MemoryTables:
    """With alice, and a session that was last used when it began."""
    store, yesterday = MemoryTables(), datetime.now(UTC) - timedelta(days=1)
    user = MemoryUsers(store).add("alice#1", "a hash", yesterday)
    account = store.accounts[user.id]
    MemorySessions(store).begin(account, yesterday, datetime(2100, 1, 1, tzinfo=UTC))
    return store


def test_the_use_of_a_session_is_noted(store_of_yesterday: MemoryTables) -> None:
    with Client(assemble(store_of_yesterday)) as client:
        client.post("/verify-token", {"access-token": TOKEN})
    _, session = store_of_yesterday.sessions[1]
    assert datetime.now(UTC) - session.last_used < timedelta(hours=1)


def test_a_token_is_good_also_where_its_use_cannot_be_noted(
    store_of_yesterday: MemoryTables,
) -> None:
    class Untouchable(MemorySessions):
        def touch(self, session_id: int, moment: datetime) -> None:
            raise Unavailable

    with Client(assemble(store_of_yesterday, sessions=Untouchable(store_of_yesterday))) as client:
        assert client.post("/verify-token", {"access-token": TOKEN}).status_code == 200


def test_an_unexpected_error_is_answered_in_the_same_shape(failing: tuple[Forum, str, str]) -> None:
    forum, method, path = failing
    with forum(RuntimeError(SECRET_WORDS)) as client:
        assert answer(send(client, method, path)) == UNEXPECTED


def test_an_unexpected_error_is_logged_once_with_its_traceback(
    failing: tuple[Forum, str, str], caplog: pytest.LogCaptureFixture
) -> None:
    forum, method, path = failing
    error = RuntimeError(SECRET_WORDS)
    with forum(error) as client:
        send(client, method, path)
    logged = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.exc_info[1] for record in logged if record.exc_info] == [error]
    assert len(logged) == 1


def test_no_header_of_a_failure_tells_what_went_wrong(failing: tuple[Forum, str, str]) -> None:
    forum, method, path = failing
    with forum(RuntimeError(SECRET_WORDS)) as client:
        assert "forum" not in str(send(client, method, path).headers)


def test_the_log_of_an_unexpected_error_has_neither_password_nor_token(
    failing: tuple[Forum, str, str],
) -> None:
    forum, method, path = failing
    with forum(RuntimeError(SECRET_WORDS)) as client, written() as log:
        send(client, method, path)
    assert "Traceback" in log.getvalue()
    assert PASSWORD not in log.getvalue()
    assert TOKEN not in log.getvalue()


@pytest.mark.parametrize(
    "error",
    [RuntimeError(), KeyError("id"), ValueError("x"), OSError(28, "No space left"), MemoryError()],
    ids=lambda error: type(error).__name__,
)
def test_every_kind_of_unexpected_error_is_answered(error: Exception) -> None:
    with with_broken_articles(error) as client:
        assert answer(client.get("/articles")) == UNEXPECTED


@pytest.mark.parametrize(
    ("error", "expected"), [(RuntimeError(), UNEXPECTED), (Unavailable(), UNAVAILABLE)]
)
def test_the_request_after_a_failed_one_is_answered(
    error: Exception, expected: tuple[int, Any]
) -> None:
    store = MemoryTables()
    articles = BrokenAtFirst(error, MemoryArticles(store))
    with Client(assemble(store, articles=articles)) as client:
        first, second = client.get("/articles"), client.get("/articles")
    assert (expected, ok({"articles": [], "next": False})) == (answer(first), answer(second))


@pytest.mark.parametrize(("error", "status"), [(RuntimeError(), 500), (Unavailable(), 503)])
def test_a_head_that_fails_has_no_body(error: Exception, status: int) -> None:
    with with_broken_articles(error) as client:
        head = send(client, "HEAD", "/articles/1")
    assert (status, b"") == (head.status_code, head.content)


@pytest.mark.parametrize("error", [RuntimeError(), Unavailable()])
def test_pages_of_other_origins_may_read_a_failure(error: Exception) -> None:
    with with_broken_articles(error) as client:
        headers = client.get("/articles", headers={"Origin": "https://forum.example"}).headers
    assert headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("error", [RuntimeError(), Unavailable()])
def test_a_failure_is_json_whatever_the_client_accepts(error: Exception) -> None:
    with with_broken_articles(error) as client:
        headers = client.get("/articles", headers={"Accept": "application/xml"}).headers
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestLockedFile:
    """Another connection holds the write lock of the database."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, store_timeout=0.3)

    @pytest.fixture
    def locked(self, client: Client, alice: str, settings: Settings) -> Iterator[Client]:
        client.write(alice)
        path = str(settings.database_url.file)
        with closing(apsw.Connection(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield client
            other.execute("ROLLBACK")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/register"),
            ("POST", "/login"),
            ("POST", "/logout"),
            ("POST", "/articles/new"),
            ("PUT", "/articles/1/edit"),
            ("DELETE", "/articles/1/delete"),
        ],
    )
    def test_what_would_write_is_unavailable(
        self, locked: Client, alice: str, method: str, path: str
    ) -> None:
        name = "bobby#2" if path == "/register" else "alice#1"
        body = BODY | {"username": name, "access-token": alice}
        assert answer(locked.request(method, path, json=body)) == UNAVAILABLE

    @pytest.mark.parametrize("path", ["/articles", "/articles/1", "/users/1", "/users/1/articles"])
    def test_what_reads_works(self, locked: Client, path: str) -> None:
        assert locked.get(path).status_code == 200
