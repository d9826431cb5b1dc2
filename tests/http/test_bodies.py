import asyncio
import gc
import json
from dataclasses import replace

import pytest
from falcon.testing import Result

from forum.config import Settings
from forum.http.guard import Application, Message, Scope
from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, refusal
from tests.support.pairs import pairs
from tests.support.routes import ASKING, READING, Request

pytestmark = ON_ONE_STORE

FIELDS_LIMIT = 64 * 1024
ARTICLE_LIMIT = 12 * (300 + 100_000) + FIELDS_LIMIT
"""JSON may take twelve bytes for one character of the longest title and text."""
MEMORY = 2**20
CREDENTIALS = {"username": "alice#1", "password": PASSWORD}
RAW = json.dumps(CREDENTIALS).encode()

MALFORMED = refusal(400, "Malformed JSON body")
NO_OBJECT = refusal(400, "Request body must be a JSON object")
UNSUPPORTED = refusal(415, "Unsupported media type")
TOO_LARGE = refusal(413, "Request body is too large")
INCOMPLETE = refusal(400, "Request body is incomplete")
NO_TOKEN = refusal(401, "Access-token is missing. Log in, please")


def send(client: Client, body: bytes, path: str = "/register", method: str = "POST") -> Result:
    return client.request(method, path, body=body, content_type="application/json")


def is_registered(client: Client) -> bool:
    return client.get("/users/1").status_code == 200


MALFORMED_BODIES = [
    b"{",  # an open brace
    b"x",  # a letter
    b" ",  # a space
    b"\0",  # NUL
    b"username=alice#1",  # a form
    RAW + b" {}",  # something behind it
    RAW + b"\0",  # NUL behind it
    RAW[:-1] + b",}",  # a comma too many
    RAW.replace(b'"', b"'"),  # single quotes
    b"/**/" + RAW,  # a comment
    b"\xef\xbb\xbf" + RAW,  # a byte order mark
    RAW.decode().encode("utf-16"),  # UTF-16
    RAW.decode().encode("utf-32"),  # UTF-32
    b'{"username": NaN}',  # NaN
    b'{"username": Infinity}',  # Infinity
    b'{"username": -Infinity}',  # -Infinity
    b'{"username": 1e999}',  # a number beyond a double
    b'{"username": 01}',  # a leading zero
    b'{"username": "\xff\xfe"}',  # no UTF-8
    b'{"username": "\xc0\x80"}',  # an overlong NUL
    b'{"username": "\xed\xa0\x80"}',  # a surrogate in UTF-8
    b'{"username": "\\ud800abcde"}',  # a lone surrogate
    b'{"username": "\\udc00\\ud800"}',  # surrogates in the wrong order
    b'{"\\ud800": 1}',  # a lone surrogate in a key
    b'{"x": "\\ud800"}',  # a lone surrogate in another field
    b'{"username": "a\nb"}',  # a bare line feed in a string
    b"[" * 1000,  # 1,000 brackets
    b"[" * 60_000,  # 60,000 brackets
    b"[" * 30_000 + b"]" * 30_000,  # 30,000 lists
    b'{"username":' * 5000,  # 5,000 objects
]


@pytest.mark.parametrize(("request_", "body"), pairs(READING, MALFORMED_BODIES))
def test_what_is_no_json_is_malformed(client: Client, request_: Request, body: bytes) -> None:
    method, path = request_
    assert answer(send(client, body, path, method)) == MALFORMED


@pytest.mark.parametrize(
    ("request_", "body"),
    pairs(
        READING,
        [b"null", b"[]", b'["username"]', b'"x"', b'""', b"5", b"0", b"1.5", b"true", b"false"],
    ),
)
def test_json_that_is_no_object_is_refused(client: Client, request_: Request, body: bytes) -> None:
    method, path = request_
    assert answer(send(client, body, path, method)) == NO_OBJECT


@pytest.mark.parametrize(
    ("body", "username"),
    [
        pytest.param(b"\t\r\n " + RAW + b" \n", "alice#1", id="white space around it"),
        pytest.param(RAW.replace(b"alice", b"\\u0061lice"), "alice#1", id="an escape"),
        pytest.param(b'{"username":"other#1",' + RAW[1:], "alice#1", id="a key twice: the last"),
        pytest.param(RAW[:-1] + b',"big":' + b"9" * 30 + b"}", "alice#1", id="a great integer"),
    ],
)
def test_every_spelling_of_json_is_read(client: Client, body: bytes, username: str) -> None:
    assert username == send(client, body).json["username"]


@pytest.mark.parametrize(
    ("request_", "content_type"),
    pairs(READING, [None, "application/json", "text/plain", ";;;//"]),
)
def test_no_body_is_an_object_without_fields_whatever_its_type(
    client: Client, request_: Request, content_type: str | None
) -> None:
    method, path = request_
    sent = client.request(method, path, body=b"", content_type=content_type)
    no_name = refusal(400, "Username is missing")
    assert answer(sent) == (NO_TOKEN if request_ in ASKING else no_name)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json; charset=utf-16",
        "application/json; charset=nonsense",
        "application/json ; x=y; z",
        "application/json;",
    ],
)
def test_json_is_read_as_utf_8_whatever_the_parameters_of_its_type(
    client: Client, content_type: str | None
) -> None:
    sent = client.post("/register", body=RAW, content_type=content_type)
    assert sent.status_code == 200


OTHER_TYPES = [
    "text/plain",
    "text/json",
    "application/jsonp",
    "application/json-patch+json",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/msgpack",
    "application/*",
    "*/*",
    "json",
    ";;;//",
    "; charset=utf-8",
    "text/plain, application/json",
]


@pytest.mark.parametrize(("request_", "content_type"), pairs(READING, OTHER_TYPES))
def test_a_body_of_another_type_is_refused(
    client: Client, request_: Request, content_type: str
) -> None:
    method, path = request_
    sent = client.request(method, path, body=RAW, content_type=content_type)
    assert (answer(sent), sent.headers["accept"]) == (UNSUPPORTED, "application/json")


@pytest.mark.parametrize(
    ("request_", "encoding"), pairs(READING, ["gzip", "deflate", "br", "x", "identity, gzip"])
)
def test_an_encoded_body_is_refused(client: Client, request_: Request, encoding: str) -> None:
    method, path = request_
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    assert answer(client.request(method, path, body=RAW, headers=headers)) == UNSUPPORTED


def test_a_refused_type_is_not_repeated(client: Client) -> None:
    sent = client.post("/register", body=RAW, content_type="text/<script>")
    assert "script" not in sent.text + str(sent.headers)


def limit_of(path: str) -> int:
    return ARTICLE_LIMIT if path in ("/articles/new", "/articles/1/edit") else FIELDS_LIMIT


@pytest.mark.parametrize(("method", "path"), READING)
def test_a_body_of_the_greatest_size_is_read(client: Client, method: str, path: str) -> None:
    assert answer(send(client, b"[]".ljust(limit_of(path)), path, method)) == NO_OBJECT


@pytest.mark.parametrize("excess", [1, 3 * 1024**2])
@pytest.mark.parametrize(("method", "path"), READING)
def test_a_larger_body_is_refused(client: Client, method: str, path: str, excess: int) -> None:
    assert answer(send(client, b"[]".ljust(limit_of(path) + excess), path, method)) == TOO_LARGE


def test_the_longest_article_fits_however_it_is_escaped(client: Client, alice: str) -> None:
    title, text = "\U0001f600" * 300, "\U0001f600" * 100_000
    body = json.dumps({"title": title, "text": text, "access-token": alice}).encode()
    article = send(client, body, "/articles/new").json
    assert (article["title"], article["text"]) == (title, text)


class TestSmallSetting:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, body_limit=2000)

    @pytest.mark.parametrize(("method", "path"), READING)
    def test_the_setting_lowers_every_limit(self, client: Client, method: str, path: str) -> None:
        answers = [answer(send(client, b"[]".ljust(size), path, method)) for size in (2000, 2001)]
        assert answers == [NO_OBJECT, TOO_LARGE]


NOT_READING = [
    ("GET", "/articles", 200),
    ("HEAD", "/articles", 200),
    ("OPTIONS", "/articles", 200),
    ("POST", "/articles", 405),
    ("GET", "/articles/1", 404),
    ("GET", "/articles/new", 405),
    ("POST", "/nope", 404),
    ("BREW", "/articles", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), NOT_READING)
@pytest.mark.parametrize("length", [2, 10**10])
def test_a_route_that_takes_no_body_answers_without_reading_one(
    client: Client, *, method: str, path: str, status: int, length: int
) -> None:
    incoming = [part(b"{", more=True), part(b"}", more=False)]
    result, left = client.exchange(incoming, method=method, path=path, headers=announced(length))
    assert (status, incoming) == (result.status_code, left)


@pytest.mark.parametrize("expected", [b"foo", b"100-continue, foo", b""])
@pytest.mark.parametrize(("method", "path"), [("POST", "/login"), ("GET", "/articles")])
def test_an_expectation_that_cannot_be_met_is_refused_before_a_byte_is_read(
    client: Client, method: str, path: str, expected: bytes
) -> None:
    incoming = [part(RAW, more=False)]
    headers = [(b"expect", expected), *announced(len(RAW))]
    result, left = client.exchange(incoming, method=method, path=path, headers=headers)
    assert (refusal(417, "Expectation failed"), incoming) == (answer(result), left)


def part(body: bytes, *, more: bool) -> Message:
    """A piece of a body as the server hands it on."""
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}

CHUNKED = [(b"transfer-encoding", b"chunked")]


def announced(length: int) -> list[tuple[bytes, bytes]]:
    return [(b"content-length", str(length).encode())]


def stream(
    client: Client, incoming: list[Message], headers: list[tuple[bytes, bytes]]
) -> tuple[Result, list[Message]]:
    return client.exchange(incoming, method="POST", path="/register", headers=headers)


@pytest.mark.parametrize("length", [FIELDS_LIMIT + 1, 10**10, 10**30])
def test_a_body_that_is_announced_too_large_is_refused_before_a_byte_is_read(
    client: Client, length: int
) -> None:
    unread = [part(b"{}", more=True)]
    result, left = stream(client, unread, announced(length))
    assert (TOO_LARGE, unread) == (answer(result), left)


def test_a_chunked_body_is_refused_as_soon_as_it_passes_the_limit(client: Client) -> None:
    rest = [part(b" ", more=True), part(b"", more=False)]
    incoming = [part(b" " * FIELDS_LIMIT, more=True), part(b" ", more=True), *rest]
    result, left = stream(client, incoming, CHUNKED)
    assert (TOO_LARGE, rest) == (answer(result), left)


def test_a_chunked_body_is_read_to_its_end(client: Client) -> None:
    incoming = [part(RAW[:10], more=True), part(b"", more=True), part(RAW[10:], more=False)]
    result, _ = stream(client, incoming, CHUNKED)
    assert result.status_code == 200


@pytest.mark.parametrize("headers", [CHUNKED, announced(500)], ids=["chunked", "announced"])
@pytest.mark.parametrize(
    "incoming",
    [
        pytest.param([GONE], id="before its first byte"),
        pytest.param([part(RAW[:10], more=True), GONE], id="in the middle"),
        pytest.param([part(RAW, more=True), GONE], id="behind whole JSON"),
    ],
)
class TestCutShort:
    def test_a_body_that_is_cut_short_is_refused(
        self, client: Client, incoming: list[Message], headers: list[tuple[bytes, bytes]]
    ) -> None:
        result, _ = stream(client, incoming, headers)
        assert answer(result) == INCOMPLETE

    def test_a_body_that_is_cut_short_writes_nothing(
        self, client: Client, incoming: list[Message], headers: list[tuple[bytes, bytes]]
    ) -> None:
        stream(client, incoming, headers)
        assert not is_registered(client)


def test_a_body_that_is_shorter_than_announced_registers_nobody(client: Client) -> None:
    result, _ = stream(client, [part(RAW, more=False)], announced(len(RAW) + 1))
    assert (answer(result), is_registered(client)) == (INCOMPLETE, False)


def test_a_delete_that_is_cut_short_deletes_nothing(client: Client, alice: str) -> None:
    id = client.write(alice)
    body = json.dumps({"access-token": alice}).encode()
    client.exchange(
        [part(body, more=True), GONE],
        method="DELETE",
        path=f"/articles/{id}/delete",
        headers=announced(len(body) + 1),
    )
    assert client.get(f"/articles/{id}").status_code == 200


def test_a_request_that_announces_no_body_does_not_wait_for_one(client: Client) -> None:
    result, left = stream(client, [GONE], [])
    assert (refusal(400, "Username is missing"), [GONE]) == (answer(result), left)


def test_the_body_of_a_get_changes_nothing(client: Client) -> None:
    assert client.get("/articles", body=b"{", content_type="text/plain").status_code == 200


def test_a_delete_without_a_content_type_is_read_as_json(client: Client, alice: str) -> None:
    body = json.dumps({"access-token": alice}).encode()
    expected = refusal(404, "Article with id=999 was not found")
    assert expected == answer(client.delete("/articles/999/delete", body=body))


def posting(piece: bytes) -> tuple[Scope, list[Message]]:
    """A new article whose body does not end."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/articles/new",
        "raw_path": b"/articles/new",
        "query_string": b"",
        "scheme": "http",
        "headers": CHUNKED,
    }
    return scope, [part(piece, more=True)]


class TestMemory:
    """All bodies together have room for one MiB."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, body_memory=MEMORY)

    async def start(self, application: Application, piece: bytes) -> "asyncio.Task[list[Message]]":
        """A request whose client sends this much of a body, and then nothing."""
        scope, incoming = posting(piece)
        outgoing: list[Message] = []
        has_taken = asyncio.Event()

        async def receive() -> Message:
            if incoming:
                return incoming.pop()
            has_taken.set()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            outgoing.append(message)

        async def request() -> list[Message]:
            await application(scope, receive, send)
            return outgoing

        task = asyncio.create_task(request())
        taken = asyncio.create_task(has_taken.wait())
        await asyncio.wait([task, taken], return_when=asyncio.FIRST_COMPLETED)
        taken.cancel()
        return task

    def test_the_oldest_body_that_does_not_end_gives_way_to_a_new_one(
        self, application: Application
    ) -> None:
        async def scenario() -> tuple[list[Message], list[bool]]:
            held = [await self.start(application, b" " * 400_000) for _ in range(3)]
            oldest = await asyncio.wait_for(held[0], 10)
            return oldest, [task.done() for task in held[1:]]

        oldest, others = asyncio.run(scenario())
        assert (oldest[0]["status"], others) == (503, [False, False])

    def test_a_body_that_gave_way_is_told_when_to_try_again(self, application: Application) -> None:
        async def scenario() -> list[Message]:
            held = [await self.start(application, b" " * 400_000) for _ in range(3)]
            return await asyncio.wait_for(held[0], 10)

        start, body = asyncio.run(scenario())
        assert (b"retry-after", b"1") in start["headers"]
        assert json.loads(body["body"]) == {"error": "Service is unavailable, try again later"}

    def test_a_body_that_finds_no_room_at_all_is_refused(self, application: Application) -> None:
        async def scenario() -> list[Message]:
            return await asyncio.wait_for(await self.start(application, b" " * (MEMORY + 1)), 10)

        assert asyncio.run(scenario())[0]["status"] == 503

    def test_requests_beside_a_full_memory_are_answered(self, client: Client) -> None:
        async def scenario() -> list[Message]:
            application = client.application
            held = [await self.start(application, b" " * 400_000) for _ in range(5)]
            return await asyncio.wait_for(held[0], 10)

        asyncio.run(scenario())
        assert send(client, RAW).status_code == 200

    def test_memory_is_free_again_after_each_request(self, client: Client) -> None:
        statuses = {
            send(client, b"[]".ljust(500_000), "/articles/new").status_code for _ in "123456"
        }
        assert statuses == {400}


@pytest.mark.parametrize(
    ("incoming", "headers"),
    [
        pytest.param([part(RAW, more=True), GONE], announced(500), id="cut short"),
        pytest.param([], announced(10**10), id="too large"),
        pytest.param([part(b"{", more=False)], announced(1), id="malformed"),
        pytest.param([part(RAW, more=False)], announced(len(RAW)), id="refused by the domain"),
    ],
)
def test_nothing_of_a_refused_request_survives_it(
    client: Client, incoming: list[Message], headers: list[tuple[bytes, bytes]]
) -> None:
    client.post("/register", CREDENTIALS)
    requests = 1000
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(requests):
            client.converse(list(incoming), method="POST", path="/register", headers=list(headers))
        after = len(gc.get_objects())
    finally:
        gc.enable()
    assert after - before < requests / 10
