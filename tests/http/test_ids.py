import pytest

from tests.http.conftest import ON_ONE_STORE, Client, answer, refusal

SENT = [
    ("0", "0"),
    ("18446744073709551617", "18446744073709551617"),
    ("99999999999999999999999", "99999999999999999999999"),
    ("abc", "abc"),
    ("null", "null"),
    ("-1", "-1"),
    ("+1", "+1"),
    ("01", "01"),
    ("1_0", "1_0"),
    ("1.0", "1.0"),
    ("1e0", "1e0"),
    ("0x1", "0x1"),
    ("1,2", "1,2"),
    ("1;x", "1;x"),
    ("%201", " 1"),
    ("1%20", "1 "),
    ("1%0a", "1\n"),
    ("1%00", "1\0"),
    ("%D9%A1", "\u0661"),
    ("%EF%BC%91", "\uff11"),
    ("%C2%B9", "\u00b9"),
    ("%2531", "%31"),
    ("%", "%"),
    ("%zz", "%zz"),
    ("%ff", "\ufffd"),
    ("1%ff", "1\ufffd"),
    ("%ed%a0%80", "\ufffd\ufffd\ufffd"),
    ("<b>x", "<b>x"),
    ("%22%5C", '"\\'),
    ("{id}", "{id}"),
    ("%s", "%s"),
    ("..", ".."),
    ("1'%20OR%201=1", "1' OR 1=1"),
]
"""Ids as they stand in the path, and as the refusal repeats them."""


@pytest.fixture
def filled(client: Client, alice: str) -> Client:
    """A forum with a user and an article, both with the id 1."""
    client.write(alice)
    return client


PLACES = [
    pytest.param("/articles/{}", "Article", id="article"),
    pytest.param("/users/{}", "User", id="user"),
    pytest.param("/users/{}/articles", "User", id="articles-of-user"),
]


@pytest.mark.parametrize(
    "id", ["2", "9223372036854775807", "9223372036854775808", "9999999999999999999"]
)
@pytest.mark.parametrize(("path", "noun"), PLACES)
def test_an_id_that_nothing_has_is_not_found(filled: Client, path: str, noun: str, id: str) -> None:
    expected = refusal(404, f"{noun} with id={id} was not found")
    assert expected == answer(filled.get(path.format(id)))


@ON_ONE_STORE
@pytest.mark.parametrize(("sent", "repeated"), SENT)
@pytest.mark.parametrize(("path", "noun"), PLACES)
def test_what_is_no_id_is_repeated_as_it_was_sent(
    filled: Client, path: str, noun: str, sent: str, repeated: str
) -> None:
    expected = refusal(404, f"{noun} with id={repeated} was not found")
    assert expected == answer(filled.get(path.format(sent)))


@ON_ONE_STORE
@pytest.mark.parametrize("path", ["/articles/%31", "/users/%31", "/users/%31/articles"])
def test_an_id_may_be_percent_encoded(filled: Client, path: str) -> None:
    assert filled.get(path).status_code == 200


@ON_ONE_STORE
@pytest.mark.parametrize("length", [4000, 4301, 60_000])
def test_an_id_of_any_length_is_repeated(filled: Client, length: int) -> None:
    id = "1" * length
    expected = refusal(404, f"Article with id={id} was not found")
    assert expected == answer(filled.get(f"/articles/{id}"))


@ON_ONE_STORE
@pytest.mark.parametrize("path", ["/articles/%3Cb%3Ex", "/users/%3Cb%3Ex"])
def test_browsers_are_told_not_to_guess_what_an_echoed_id_is(filled: Client, path: str) -> None:
    headers = filled.get(path).headers
    expected = ("application/json", "nosniff")
    assert expected == (headers["content-type"], headers["x-content-type-options"])
