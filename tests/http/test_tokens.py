import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from falcon.testing import Result

from forum.adapters.memory.tables import MemoryTables
from forum.adapters.tokens import key_id
from tests.conftest import SECRET
from tests.http.conftest import ON_ONE_STORE, PASSWORD, Client, answer, assemble, ok, refusal
from tests.support.pairs import pairs
from tests.support.routes import ASKING, Request

MISSING = refusal(401, "Access-token is missing. Log in, please")
INVALID = refusal(401, "Invalid access-token. Log in please")
ALICE = ok({"id": 1, "username": "alice#1"})
FUTURE = 2**32

HEADER = {"alg": "HS256", "kid": key_id(SECRET), "typ": "JWT"}
CLAIMS = {"sub": "1", "jti": "1", "exp": FUTURE}


def verify(client: Client, token: object) -> Result:
    return client.post("/verify-token", {"access-token": token})


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(header: Any, payload: Any, secret: str = SECRET, algorithm: str = "sha256") -> str:
    """A token with this header and payload, JSON or bytes, signed whatever they say."""
    parts = [
        base64url(
            each
            if isinstance(each, bytes)
            else json.dumps(each, separators=(",", ":"), sort_keys=isinstance(each, dict)).encode()
        )
        for each in (header, payload)
    ]
    signature = hmac.digest(secret.encode(), ".".join(parts).encode(), algorithm)
    return ".".join([*parts, base64url(signature)])


def claim(**claims: Any) -> str:
    """A token with our signature and, but for these claims, our claims."""
    return sign(HEADER, CLAIMS | claims)


def head(**fields: Any) -> str:
    """A token with our signature and, but for these fields, our header."""
    return sign(HEADER | fields, CLAIMS)


def test_a_token_with_our_signature_and_claims_is_valid(client: Client, alice: str) -> None:
    assert answer(verify(client, claim())) == ALICE


@ON_ONE_STORE
@pytest.mark.parametrize(
    "token",
    [
        pytest.param("abc", id="no token at all"),
        pytest.param("..", id="two dots"),
        pytest.param("a.b.c", id="three letters"),
        pytest.param("😀.😀.😀", id="three emoji"),
        pytest.param("a" * 60_000, id="60,000 characters"),
        pytest.param("\0", id="NUL"),
        pytest.param(5, id="a number"),
        pytest.param(True, id="true"),
        pytest.param(["a"], id="a list"),
        pytest.param({"a": 1}, id="an object"),
        pytest.param(sign(HEADER, CLAIMS, "x" * 32), id="forged"),
        pytest.param(head(alg="none"), id="alg none"),
        pytest.param(head(alg="none").rpartition(".")[0] + ".", id="alg none, unsigned"),
        pytest.param(head(alg="None"), id="alg None"),
        pytest.param(head(alg="hs256"), id="alg in lower case"),
        pytest.param(head(alg="RS256"), id="alg of another kind of key"),
        pytest.param(head(alg=5), id="alg a number"),
        pytest.param(head(alg=["HS256"]), id="alg a list"),
        pytest.param(head(alg=None), id="alg null"),
        pytest.param(sign({}, CLAIMS), id="no alg"),
        pytest.param(
            sign(HEADER | {"alg": "HS384"}, CLAIMS, algorithm="sha384"),
            id="our secret, an algorithm for which it is long enough",
        ),
        pytest.param(
            sign(HEADER | {"alg": "HS512"}, CLAIMS, algorithm="sha512"),
            id="our secret, another algorithm",
        ),
        pytest.param(head(kid=5), id="kid a number"),
        pytest.param(head(b64=False), id="b64 false"),
        pytest.param(head(crit=["x"], x=1), id="an unknown critical field"),
        pytest.param(sign([], CLAIMS), id="header a list"),
        pytest.param(sign(b"\xff", CLAIMS), id="header no UTF-8"),
        pytest.param(sign(HEADER, []), id="payload a list"),
        pytest.param(sign(HEADER, "x"), id="payload a string"),
        pytest.param(sign(HEADER, None), id="payload null"),
        pytest.param(sign(HEADER, b"\xff"), id="payload no UTF-8"),
        pytest.param(sign(HEADER, b""), id="payload empty"),
        pytest.param(sign(HEADER, b"[" * 2000), id="payload nested deep"),
        pytest.param(sign(HEADER, {"sub": "1", "jti": "1"}), id="no exp"),
        pytest.param(claim(exp=None), id="exp null"),
        pytest.param(claim(exp=0), id="exp the epoch"),
        pytest.param(claim(exp=-1), id="exp negative"),
        pytest.param(claim(exp="soon"), id="exp a word"),
        pytest.param(claim(exp=str(FUTURE)), id="exp a string of digits"),
        pytest.param(claim(exp=[FUTURE]), id="exp a list"),
        pytest.param(claim(exp=True), id="exp true"),
        pytest.param(claim(exp=float("nan")), id="exp NaN"),
        pytest.param(claim(exp=float("inf")), id="exp infinite"),
        pytest.param(
            sign(HEADER, b'{"sub": "1", "jti": "1", "exp": 1e400}'), id="exp beyond a double"
        ),
        pytest.param(sign(HEADER, {"jti": "1", "exp": FUTURE}), id="no sub"),
        pytest.param(sign(HEADER, {"sub": "1", "exp": FUTURE}), id="no jti"),
        pytest.param(claim(jti=1), id="jti a number"),
        pytest.param(claim(jti="01"), id="jti with a leading zero"),
        pytest.param(claim(jti="2"), id="jti of no session"),
        pytest.param(claim(jti=str(2**63)), id="jti beyond 64 bits"),
        pytest.param(head(kid="x"), id="kid of no secret"),
        pytest.param(claim(sub=None), id="sub null"),
        pytest.param(claim(sub=1), id="sub a number"),
        pytest.param(claim(sub=True), id="sub true"),
        pytest.param(claim(sub=["1"]), id="sub a list"),
        pytest.param(claim(sub=""), id="sub empty"),
        pytest.param(claim(sub="abc"), id="sub a word"),
        pytest.param(claim(sub="01"), id="sub with a leading zero"),
        pytest.param(claim(sub=" 1"), id="sub with a space"),
        pytest.param(claim(sub="1\n"), id="sub with a line feed"),
        pytest.param(claim(sub="1_0"), id="sub with an underscore"),
        pytest.param(claim(sub="+1"), id="sub with a sign"),
        pytest.param(claim(sub="0"), id="sub zero"),
        pytest.param(claim(sub="\u0661"), id="sub an Arabic digit"),
        pytest.param(claim(sub="\ud800"), id="sub a lone surrogate"),
        pytest.param(claim(sub="1\0"), id="sub with NUL"),
        pytest.param(claim(sub="2"), id="sub nobody"),
        pytest.param(claim(sub=str(2**63)), id="sub beyond 64 bits"),
        pytest.param(claim(sub="9" * 3000), id="sub of 3,000 digits"),
    ],
)
def test_a_token_that_we_did_not_issue_is_invalid(
    client: Client, alice: str, token: object
) -> None:
    assert answer(verify(client, token)) == INVALID


def respell_the_last_bits(token: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ 0b10_0000]


@ON_ONE_STORE
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda token: token + "\n", id="a line feed at the end"),
        pytest.param(lambda token: " " + token, id="a space at the start"),
        pytest.param(lambda token: "Bearer " + token, id="the word Bearer before it"),
        pytest.param(lambda token: token + ".", id="a dot at the end"),
        pytest.param(lambda token: token[:-1], id="a character less"),
        pytest.param(lambda token: token.rpartition(".")[0] + ".", id="no signature"),
        pytest.param(lambda token: token.replace(".", ". ", 1), id="a space inside"),
        pytest.param(lambda token: token.swapcase(), id="the other case"),
        pytest.param(respell_the_last_bits, id="another last character"),
    ],
)
def test_a_token_that_was_changed_is_invalid(
    client: Client, alice: str, change: Callable[[str], str]
) -> None:
    assert answer(verify(client, change(alice))) == INVALID


@ON_ONE_STORE
def test_padding_behind_a_token_makes_nobody_else_of_its_user(client: Client, bob: str) -> None:
    assert answer(verify(client, bob + "=")) in (INVALID, ok({"id": 2, "username": "bobby#2"}))


@ON_ONE_STORE
@pytest.mark.parametrize("seconds_ago", [1, 3600])
def test_an_expired_token_is_invalid(client: Client, alice: str, seconds_ago: int) -> None:
    expired = int(datetime.now(UTC).timestamp()) - seconds_ago
    assert answer(verify(client, claim(exp=expired))) == INVALID


class SettableClock:
    """A clock that stands until it is set."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


@pytest.mark.parametrize(
    ("age", "expected"),
    [(timedelta(days=1, seconds=-1), ALICE), (timedelta(days=1), INVALID)],
    ids=["a second before its end", "at its end"],
)
def test_a_token_is_valid_as_long_as_it_was_issued_for(
    age: timedelta, expected: tuple[int, Any]
) -> None:
    store, clock = MemoryTables(), SettableClock(datetime(2020, 2, 2, tzinfo=UTC))
    with Client(assemble(store, clock=clock)) as client:
        token = client.sign_up("alice#1")
        clock.moment += age
        assert expected == answer(verify(client, token))


@pytest.mark.parametrize(("method", "path"), ASKING)
def test_the_token_of_a_user_who_is_gone_is_invalid_everywhere(method: str, path: str) -> None:
    store = MemoryTables()
    with Client(assemble(store)) as client:
        token = client.sign_up("alice#1")
        store.accounts.clear()
        body = {"access-token": token, "title": "A title", "text": "A text"}
        assert answer(client.request(method, path, json=body)) == INVALID


@ON_ONE_STORE
@pytest.mark.parametrize(("request_", "nothing"), pairs(ASKING, [None, "", 0, False, [], {}]))
def test_a_token_that_is_nothing_is_missing(
    client: Client, alice: str, request_: Request, nothing: object
) -> None:
    method, path = request_
    assert answer(client.request(method, path, json={"access-token": nothing})) == MISSING


NO_TOKENS: list[dict[str, Any]] = [
    {},  # no body
    {"body": b""},  # an empty body
    {"body": b"{}"},  # an empty object
    {"json": {"access_token": "x"}},  # another key
    {"query_string": "access-token=x"},  # a token in the query
    {"headers": {"Cookie": "access-token=x"}},  # a token in a cookie
    {"headers": {"Authorization": "Basic eDp5"}},  # another scheme
    {"headers": {"Authorization": ""}},  # an empty header
    {"headers": {"Authorization": "Bearer"}},  # Bearer alone
    {"headers": {"Authorization": "Bearer "}},  # Bearer and a space
]


@ON_ONE_STORE
@pytest.mark.parametrize(("request_", "options"), pairs(ASKING, NO_TOKENS))
def test_without_a_token_in_body_or_header_it_is_missing(
    client: Client, request_: Request, options: dict[str, Any]
) -> None:
    method, path = request_
    assert answer(client.request(method, path, **options)) == MISSING


@ON_ONE_STORE
@pytest.mark.parametrize(("method", "path"), ASKING)
def test_an_invalid_token_is_refused_everywhere(
    client: Client, alice: str, method: str, path: str
) -> None:
    assert answer(client.request(method, path, json={"access-token": "abc"})) == INVALID


@ON_ONE_STORE
@pytest.mark.parametrize(("method", "path"), ASKING)
def test_a_token_in_the_authorization_header_counts_everywhere(
    client: Client, alice: str, method: str, path: str
) -> None:
    client.write(alice)
    body = {"title": "A title", "text": "A text"}
    body |= {"password": PASSWORD, "new-password": "Password#2"}
    headers = {"Authorization": f"Bearer {alice}"}
    assert client.request(method, path, json=body, headers=headers).status_code == 200


@ON_ONE_STORE
def test_a_delete_without_a_body_works_with_the_header(client: Client, alice: str) -> None:
    id = client.write(alice)
    headers = {"Authorization": f"Bearer {alice}"}
    assert client.delete(f"/articles/{id}/delete", headers=headers).status_code == 200


@ON_ONE_STORE
@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_of_the_header_is_read_in_any_case(
    client: Client, alice: str, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {alice}"}
    assert answer(client.post("/verify-token", headers=headers)) == ALICE


@ON_ONE_STORE
@pytest.mark.parametrize("token", ["abc", "a b", "\u00e9", "a" * 8000])
def test_an_invalid_token_in_the_header_is_refused(client: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert answer(client.post("/verify-token", headers=headers)) == INVALID


@ON_ONE_STORE
@pytest.mark.parametrize("nothing", [None, "", 0, False, [], {}])
def test_a_token_in_the_header_counts_where_the_one_in_the_body_is_nothing(
    client: Client, alice: str, nothing: object
) -> None:
    headers = {"Authorization": f"Bearer {alice}"}
    body = {"access-token": nothing}
    assert answer(client.post("/verify-token", body, headers=headers)) == ALICE


@ON_ONE_STORE
@pytest.mark.parametrize("other", ["abc", 5, ["a"]])
def test_the_token_in_the_body_counts_where_both_are_given(
    client: Client, alice: str, other: object
) -> None:
    headers = {"Authorization": f"Bearer {alice}"}
    body = {"access-token": other}
    assert answer(client.post("/verify-token", body, headers=headers)) == INVALID


@ON_ONE_STORE
def test_a_valid_token_in_the_body_counts_whatever_the_header_says(
    client: Client, alice: str
) -> None:
    headers = {"Authorization": "Bearer abc"}
    assert answer(client.post("/verify-token", {"access-token": alice}, headers=headers)) == ALICE


@ON_ONE_STORE
def test_a_refused_token_tells_how_to_bring_one(client: Client) -> None:
    assert client.post("/verify-token", {}).headers["www-authenticate"] == "Bearer"
