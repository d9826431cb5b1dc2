from collections.abc import Iterator
from datetime import timedelta

import pytest

from forum.adapters.memory.tables import MemoryTables
from forum.domain.rate_limits import RateLimits
from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, assemble, ok, refusal
from tests.support.lines import written

NEW_PASSWORD = "Password#2"
INVALID = refusal(401, "Invalid access-token. Log in please")
TOO_MANY = refusal(429, "Too many requests")

LIMITS = RateLimits(
    failures_of_name=2,
    failures_of_address=100,
    failures_of_all=100,
    window=timedelta(minutes=5),
    registrations_in_minute=2,
    registrations_in_hour=100,
    posts_in_minute=2,
)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def log_in(client: Client, password: str = PASSWORD) -> str:
    credentials = {"username": "alice#1", "password": password}
    token = client.post("/login", credentials).json["access-token"]
    assert isinstance(token, str)
    return token


def verify(client: Client, token: str) -> tuple[int, object]:
    return answer(client.post("/verify-token", {"access-token": token}))


def test_logging_out_answers_who_it_was_and_ends_the_session(client: Client, alice: str) -> None:
    assert answer(client.post("/logout", {"access-token": alice})) == ok(
        {"id": 1, "username": "alice#1"}
    )
    assert verify(client, alice) == INVALID


def test_logging_out_leaves_other_sessions(client: Client, alice: str) -> None:
    other = log_in(client)
    client.post("/logout", headers=bearer(alice))
    assert verify(client, other)[0] == 200


def test_a_change_of_password_answers_as_a_login(client: Client, alice: str) -> None:
    body = {"access-token": alice, "password": PASSWORD, "new-password": NEW_PASSWORD}
    changed = client.post("/change-password", body)
    fresh = changed.json["access-token"]
    assert changed.json == {"access-token": fresh, "user_id": 1, "username": "alice#1"}
    assert changed.headers["cache-control"] == "no-store"
    assert verify(client, fresh)[0] == 200


def test_a_change_of_password_ends_every_older_session(client: Client, alice: str) -> None:
    other = log_in(client)
    body = {"password": PASSWORD, "new-password": NEW_PASSWORD}
    client.post("/change-password", body, headers=bearer(alice))
    assert [verify(client, each) for each in (alice, other)] == [INVALID, INVALID]


def test_only_the_new_password_logs_in(client: Client, alice: str) -> None:
    body = {"password": PASSWORD, "new-password": NEW_PASSWORD}
    client.post("/change-password", body, headers=bearer(alice))
    logins = [
        client.post("/login", {"username": "alice#1", "password": each}).status_code
        for each in (PASSWORD, NEW_PASSWORD)
    ]
    assert logins == [401, 200]


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, refusal(400, "Password is missing")),
        ({"new-password": NEW_PASSWORD}, refusal(400, "Password is missing")),
        ({"password": "x"}, refusal(400, "New password is missing")),
        ({"password": "x", "new-password": 5}, refusal(400, "Bad new password format")),
        ({"password": "x", "new-password": "short"}, refusal(400, "Bad new password format")),
        ({"password": "x", "new-password": NEW_PASSWORD}, refusal(401, "Uncorrect password")),
        ({"password": ["x"], "new-password": NEW_PASSWORD}, refusal(401, "Uncorrect password")),
    ],
)
def test_a_change_of_password_is_refused_in_the_documented_style(
    client: Client, alice: str, body: dict[str, object], expected: tuple[int, object]
) -> None:
    assert answer(client.post("/change-password", body, headers=bearer(alice))) == expected
    assert verify(client, alice)[0] == 200


def test_one_sees_ones_sessions_the_newest_first(client: Client, alice: str, bob: str) -> None:
    log_in(client)
    sessions = client.get("/sessions", headers=bearer(alice)).json["sessions"]
    assert [each["current"] for each in sessions] == [False, True]
    assert set(sessions[0]) == {"id", "created", "last_used", "expires", "current"}


def test_one_ends_all_sessions_but_this(client: Client, alice: str) -> None:
    other = log_in(client)
    ended = client.delete("/sessions", headers=bearer(alice)).json["sessions"]
    assert [each["current"] for each in ended] == [False]
    assert (verify(client, other), verify(client, alice)[0]) == (INVALID, 200)


def test_one_ends_a_session(client: Client, alice: str) -> None:
    other = log_in(client)
    newest = client.get("/sessions", headers=bearer(alice)).json["sessions"][0]
    ended = client.delete(f"/sessions/{newest['id']}", {"access-token": alice})
    assert answer(ended) == ok(newest)
    assert verify(client, other) == INVALID


@pytest.mark.parametrize("id", ["1", "99", "abc", "01"])
def test_what_is_no_session_of_ones_own_is_not_found(
    client: Client, alice: str, bob: str, id: str
) -> None:
    expected = refusal(404, f"Session with id={id} was not found")
    assert answer(client.delete(f"/sessions/{id}", headers=bearer(bob))) == expected


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/logout"),
        ("POST", "/change-password"),
        ("GET", "/sessions"),
        ("DELETE", "/sessions"),
        ("DELETE", "/sessions/1"),
    ],
)
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "Access-token is missing. Log in, please"),
        ({"access-token": "abc"}, "Invalid access-token. Log in please"),
    ],
)
def test_everything_about_sessions_asks_for_a_token(
    client: Client, method: str, path: str, body: dict[str, str], sentence: str
) -> None:
    assert answer(client.request(method, path, json=body)) == refusal(401, sentence)


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/logout", "OPTIONS, POST"),
        ("/change-password", "OPTIONS, POST"),
        ("/sessions", "DELETE, GET, HEAD, OPTIONS"),
        ("/sessions/1", "DELETE, OPTIONS"),
    ],
)
def test_the_methods_of_every_route_are_told(client: Client, path: str, allow: str) -> None:
    answers = [client.request(method, path) for method in ("PATCH", "OPTIONS")]
    assert [each.headers["allow"] for each in answers] == [allow, allow]


class TestThrottle:
    """With tight limits, and a proxy that is trusted."""

    @pytest.fixture
    def client(self) -> Iterator[Client]:
        with Client(assemble(MemoryTables(), limits=LIMITS, proxies=["127.0.0.1"])) as client:
            yield client

    def log_in(
        self, client: Client, password: str, forwarded: str = "192.0.2.1"
    ) -> tuple[int, object]:
        body = {"username": "alice#1", "password": password}
        headers = {"X-Forwarded-For": forwarded}
        return answer(client.post("/login", body, headers=headers))

    def fail(self, client: Client, *forwarded: str) -> list[int]:
        return [self.log_in(client, "Wrong#123", each)[0] for each in forwarded]

    def test_who_fails_too_often_is_refused_with_the_right_password_too(
        self, client: Client
    ) -> None:
        client.sign_up("alice#1")
        self.fail(client, "192.0.2.1", "192.0.2.1")
        assert self.log_in(client, PASSWORD) == TOO_MANY

    def test_a_refusal_tells_when_to_come_back(self, client: Client) -> None:
        headers = {}
        for _ in range(3):
            body = {"username": "alice#1", "password": PASSWORD}
            headers = client.post("/login", body).headers
        assert 0 < int(headers["retry-after"]) <= 300

    def test_the_owner_logs_in_from_elsewhere(self, client: Client) -> None:
        client.sign_up("alice#1")
        self.fail(client, *["192.0.2.1"] * 5)
        assert self.log_in(client, PASSWORD, "198.51.100.1")[0] == 200

    @pytest.mark.parametrize(
        "addresses",
        [
            pytest.param(["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"], id="a /64"),
            pytest.param(["::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"], id="IPv4 in IPv6"),
            pytest.param(["1.1.1.1, 192.0.2.1", "2.2.2.2, 192.0.2.1", "192.0.2.1"], id="spoofed"),
            pytest.param(["192.0.2.1, 127.0.0.1", "192.0.2.1", "192.0.2.1"], id="two proxies"),
            pytest.param(
                ["192.0.2.1, ::ffff:127.0.0.1", " 192.0.2.1 ", "x,192.0.2.1"], id="mapped proxy"
            ),
            pytest.param(["192.0.2.1:5678", "192.0.2.1:9", "192.0.2.1"], id="with ports"),
            pytest.param(["[2001:db8::1]:9", "[2001:db8::2]", "2001:db8::3"], id="IPv6 with ports"),
            pytest.param(["", "unknown", "192.0.2.1, x"], id="nothing to be read"),
            pytest.param(["192.0.2.1:x", "[192.0.2.1", "[::1]x, ::1:"], id="no ports"),
        ],
    )
    def test_one_client_is_one_client(self, client: Client, addresses: list[str]) -> None:
        assert self.fail(client, *addresses) == [401, 401, 429]

    def test_two_networks_are_two_clients(self, client: Client) -> None:
        addresses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
        assert self.fail(client, *addresses) == [401, 401, 401]

    def test_a_header_from_anybody_else_changes_nothing(self) -> None:
        with Client(assemble(MemoryTables(), limits=LIMITS)) as client:
            assert self.fail(client, "1.1.1.1", "2.2.2.2", "3.3.3.3") == [401, 401, 429]

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
    def test_who_forwards_without_being_trusted_is_warned_of_once(
        self, header: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Client(assemble(MemoryTables(), limits=LIMITS)) as client:
            for _ in range(2):
                client.get("/articles", headers={header: "for=192.0.2.1"})
        assert [each.message.count("FORUM_TRUSTED_PROXIES") for each in caplog.records] == [1]

    def test_nobody_is_warned_of_a_proxy_that_is_trusted(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.log_in(client, PASSWORD)
        assert "FORUM_TRUSTED_PROXIES" not in caplog.text

    def test_registrations_are_bounded(self, client: Client) -> None:
        bodies = [{"username": f"user-{each}", "password": PASSWORD} for each in range(3)]
        answers = [answer(client.post("/register", body)) for body in bodies]
        assert ([each[0] for each in answers[:2]], answers[2]) == ([200, 200], TOO_MANY)

    def test_posts_are_bounded(self, client: Client) -> None:
        token = client.sign_up("alice#1")
        body = {"title": "A title", "text": "A text", "access-token": token}
        answers = [answer(client.post("/articles/new", body)) for _ in range(3)]
        assert ([each[0] for each in answers[:2]], answers[2]) == ([200, 200], TOO_MANY)


def test_no_log_at_any_level_has_a_password_a_token_or_a_hash(client: Client, alice: str) -> None:
    with written() as log:
        client.post("/login", {"username": "alice#1", "password": "Canary#123"})
        client.post("/login", {"username": "Canary#123", "password": "Canary#123"})
        client.post("/verify-token", {"access-token": alice + "x"})
        body = {"password": PASSWORD, "new-password": "Canary#123"}
        fresh = client.post("/change-password", body, headers=bearer(alice)).json["access-token"]
        client.post("/logout", headers=bearer(fresh))
    text = log.getvalue()
    assert "password changed" in text
    assert [each for each in (PASSWORD, "Canary", alice, fresh, "argon2") if each in text] == []


@ON_ONE_STORE
class TestDefaults:
    """As production has them."""

    def test_an_address_registers_forty_users_in_a_minute(self, client: Client) -> None:
        bodies = [{"username": f"user-{each}", "password": PASSWORD} for each in range(41)]
        statuses = [client.post("/register", body).status_code for body in bodies]
        assert statuses == [200] * 40 + [429]

    def test_a_user_posts_thirty_articles_in_a_burst(self, client: Client, alice: str) -> None:
        body = {"title": "A title", "text": "A text", "access-token": alice}
        statuses = {client.post("/articles/new", body).status_code for _ in range(30)}
        assert statuses == {200}

    def test_a_name_has_ten_failures(self, client: Client, alice: str) -> None:
        body = {"username": "alice#1", "password": "Wrong#123"}
        statuses = [client.post("/login", body).status_code for _ in range(11)]
        assert statuses == [401] * 10 + [429]
