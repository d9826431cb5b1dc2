"""What clients are told where a row of the store cannot be read."""

import pytest

from tests.http.conftest import Client, answer, refusal
from tests.support.odd_rows import spoil

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

UNAVAILABLE = refusal(503, "Service is unavailable, try again later")


@pytest.fixture
def odd_date(database_url: str) -> str:
    return "'yesterday'" if database_url.startswith("sqlite") else "'infinity'"


def test_an_unreadable_user_is_unavailable(
    client: Client, bob: str, database_url: str, odd_date: str
) -> None:
    spoil(database_url, f"UPDATE users SET date_registered = {odd_date} WHERE id = 2")
    answers = [
        client.get("/users/2"),
        client.get("/users/2/articles"),
        client.post("/verify-token", {"access-token": bob}),
        client.post("/login", {"username": "bobby#2", "password": "Password#1"}),
    ]
    assert [answer(each) for each in answers] == 4 * [UNAVAILABLE]
    assert client.get("/users/1").status_code == 200


def test_an_unreadable_article_is_unavailable_and_in_no_list(
    client: Client, alice: str, database_url: str, odd_date: str
) -> None:
    first, second = client.write(alice), client.write(alice)
    spoil(database_url, f"UPDATE articles SET date_posted = {odd_date} WHERE id = {second}")
    body = {"title": "A title", "text": "A text", "access-token": alice}
    answers = [
        client.get(f"/articles/{second}"),
        client.put(f"/articles/{second}/edit", body),
        client.delete(f"/articles/{second}/delete", body),
    ]
    assert [answer(each) for each in answers] == 3 * [UNAVAILABLE]
    for path in ("/articles", "/users/1/articles"):
        assert [each["id"] for each in client.get(path).json["articles"]] == [first]


def test_an_unreadable_session_is_unavailable_and_in_no_list(
    client: Client, alice: str, database_url: str, odd_date: str
) -> None:
    other = client.post("/login", {"username": "alice#1", "password": "Password#1"})
    spoil(database_url, f"UPDATE sessions SET created = {odd_date} WHERE id = 2")
    token = {"access-token": other.json["access-token"]}
    assert answer(client.post("/verify-token", token)) == UNAVAILABLE
    listed = client.get("/sessions", headers={"Authorization": f"Bearer {alice}"}).json
    assert [each["id"] for each in listed["sessions"]] == [1]


def test_a_page_with_an_unreadable_article_tells_that_another_follows(
    client: Client, alice: str, database_url: str, odd_date: str
) -> None:
    ids = [client.write(alice) for _ in range(11)]
    spoil(database_url, f"UPDATE articles SET date_posted = {odd_date} WHERE id = {ids[-1]}")
    pages = [client.get(f"/articles?page={number}").json for number in (1, 2)]
    listed = [each["id"] for page in pages for each in page["articles"]]
    assert (listed, [page["next"] for page in pages]) == (ids[-2::-1], [True, False])
