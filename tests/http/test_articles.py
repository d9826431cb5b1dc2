from typing import Any

import pytest
from falcon.testing import Result

from tests.http.conftest import ON_ONE_STORE, Client, answer, ok, refusal

MISSING_TITLE = refusal(400, "Article title is missing")
MISSING_TEXT = refusal(400, "Article text is missing")
BAD_TITLE = refusal(400, "Bad article title format")
BAD_TEXT = refusal(400, "Bad article text format")

NOTHING = [None, "", 0, False, [], {}, " ", "   ", "\n\t\r", "\u00a0", "\u2003\u3000"]
NO_STRING = [1, -1, 1.5, True, [1], ["A title"], {"a": 1}]

WRITING = [
    pytest.param("POST", "/articles/new", id="new"),
    pytest.param("PUT", "/articles/1/edit", id="edit"),
]
OWN = [
    pytest.param("PUT", "edit", id="edit"),
    pytest.param("DELETE", "delete", id="delete"),
]
"""What only the author of an article may do."""


def send(client: Client, token: str, method: str, path: str, **fields: object) -> Result:
    """The answer to a request with a token, a title and a text."""
    body = {"access-token": token, "title": "A title", "text": "A text"} | fields
    return client.request(method, path, json=body)


def test_posting_answers_the_new_article(client: Client, bob: str) -> None:
    article = send(client, bob, "POST", "/articles/new").json
    assert article == {
        "id": 1,
        "title": "A title",
        "text": "A text",
        "date_posted": article["date_posted"],
        "user_id": 2,
    }


def test_reading_answers_the_article_with_the_name_of_its_author(client: Client, bob: str) -> None:
    posted = send(client, bob, "POST", "/articles/new").json
    expected = ok(posted | {"author.username": "bobby#2"})
    assert expected == answer(client.get("/articles/1"))


@ON_ONE_STORE
def test_a_list_shows_an_article_without_its_text(client: Client, bob: str) -> None:
    client.write(bob)
    article = client.get("/articles/1").json
    del article["text"]
    assert ok({"articles": [article], "next": False}) == answer(client.get("/articles"))


@ON_ONE_STORE
def test_reading_needs_no_token(client: Client, alice: str) -> None:
    id = client.write(alice)
    assert client.get(f"/articles/{id}").status_code == 200


def test_editing_changes_title_and_text_alone(client: Client, alice: str) -> None:
    posted = send(client, alice, "POST", "/articles/new").json
    edited = send(client, alice, "PUT", "/articles/1/edit", title="Another", text="Other words")
    assert ok(posted | {"title": "Another", "text": "Other words"}) == answer(edited)


def test_an_edited_article_is_read_as_it_was_answered(client: Client, alice: str) -> None:
    client.write(alice)
    edited = send(client, alice, "PUT", "/articles/1/edit", title="Another").json
    assert ok(edited | {"author.username": "alice#1"}) == answer(client.get("/articles/1"))


def test_editing_leaves_the_order_of_the_list(client: Client, alice: str) -> None:
    older, newer = client.write(alice), client.write(alice)
    send(client, alice, "PUT", f"/articles/{older}/edit", title="Another")
    assert [each["id"] for each in client.get("/articles").json["articles"]] == [newer, older]


def test_deleting_answers_what_the_article_was(client: Client, alice: str) -> None:
    posted = send(client, alice, "POST", "/articles/new").json
    assert ok(posted) == answer(send(client, alice, "DELETE", "/articles/1/delete"))


def test_a_deleted_article_is_gone(client: Client, alice: str) -> None:
    client.write(alice)
    send(client, alice, "DELETE", "/articles/1/delete")
    expected = refusal(404, "Article with id=1 was not found")
    assert expected == answer(client.get("/articles/1"))


def test_a_deleted_article_leaves_the_lists(client: Client, alice: str) -> None:
    client.write(alice)
    send(client, alice, "DELETE", "/articles/1/delete")
    assert ok({"articles": [], "next": False}) == answer(client.get("/users/1/articles"))


def test_the_id_of_the_newest_article_is_not_used_again_when_it_is_deleted(
    client: Client, alice: str
) -> None:
    deleted = client.write(alice)
    send(client, alice, "DELETE", f"/articles/{deleted}/delete")
    assert client.write(alice) > deleted


def test_of_many_who_delete_an_article_at_once_one_does(client: Client, alice: str) -> None:
    client.write(alice)
    body = {"access-token": alice}
    answers = client.together(5, "DELETE", "/articles/1/delete", json=body)
    assert sorted(each.status_code for each in answers) == [200, 404, 404, 404, 404]


def test_articles_that_are_posted_at_once_have_ids_of_their_own(client: Client, alice: str) -> None:
    body = {"access-token": alice, "title": "A title", "text": "A text"}
    answers = client.together(5, "POST", "/articles/new", json=body)
    assert sorted(each.json["id"] for each in answers) == [1, 2, 3, 4, 5]


@ON_ONE_STORE
@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize(("method", "path"), WRITING)
def test_a_title_that_is_nothing_is_missing(
    client: Client, alice: str, method: str, path: str, nothing: object
) -> None:
    client.write(alice)
    assert answer(send(client, alice, method, path, title=nothing)) == MISSING_TITLE


@ON_ONE_STORE
@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize(("method", "path"), WRITING)
def test_a_text_that_is_nothing_is_missing(
    client: Client, alice: str, method: str, path: str, nothing: object
) -> None:
    client.write(alice)
    assert answer(send(client, alice, method, path, text=nothing)) == MISSING_TEXT


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, MISSING_TITLE),
        ({"text": "A text"}, MISSING_TITLE),
        ({"title": "A title"}, MISSING_TEXT),
        ({"title": 5}, MISSING_TEXT),
        ({"title": 5, "text": 5}, BAD_TITLE),
    ],
)
@pytest.mark.parametrize(("method", "path"), WRITING)
def test_what_is_missing_counts_before_formats_and_the_title_before_the_text(
    client: Client,
    alice: str,
    *,
    method: str,
    path: str,
    fields: dict[str, object],
    expected: tuple[int, Any],
) -> None:
    client.write(alice)
    body = {"access-token": alice} | fields
    assert expected == answer(client.request(method, path, json=body))


@ON_ONE_STORE
@pytest.mark.parametrize("title", [*NO_STRING, "a" * 301, "😀" * 301, "a\0b", "\0"])
@pytest.mark.parametrize(("method", "path"), WRITING)
def test_a_title_that_cannot_be_kept_is_refused(
    client: Client, alice: str, method: str, path: str, title: object
) -> None:
    client.write(alice)
    assert answer(send(client, alice, method, path, title=title)) == BAD_TITLE


@ON_ONE_STORE
@pytest.mark.parametrize(
    "text", [*NO_STRING, pytest.param("a" * 100_001, id="too long"), "a\0b", "\0"]
)
@pytest.mark.parametrize(("method", "path"), WRITING)
def test_a_text_that_cannot_be_kept_is_refused(
    client: Client, alice: str, method: str, path: str, text: object
) -> None:
    client.write(alice)
    assert answer(send(client, alice, method, path, text=text)) == BAD_TEXT


WORDS = [
    "x",
    "0",
    "a" * 300,
    "😀" * 300,
    "  between spaces \n",
    "<script>alert(1)</script>",
    "'; DROP TABLE articles; --",
    '"quoted" \\ back\\slashed \\u0000',
    "{id} %s %(x)s ${x}",
    "line\r\nfeeds\u2028\u2029\x85",
    "\x01\x1b\x7f controls",
    "e\u0301 stays decomposed, \ufb01 a ligature",
    "עברית العربية 中文 \U0001d4b3 👩‍👩‍👧",
    "\ufeffmarked\ufffe\uffff",
]


@pytest.mark.parametrize("words", WORDS)
def test_title_and_text_are_kept_character_by_character(
    client: Client, alice: str, words: str
) -> None:
    id = client.write(alice, words, words)
    read = client.get(f"/articles/{id}").json
    assert (read["title"], read["text"]) == (words, words)


def test_an_edited_text_is_kept_character_by_character(client: Client, alice: str) -> None:
    id, words = client.write(alice), "".join(WORDS)
    send(client, alice, "PUT", f"/articles/{id}/edit", text=words)
    assert words == client.get(f"/articles/{id}").json["text"]


@pytest.mark.parametrize("text", ["a" * 100_000, "😀" * 100_000], ids=["ASCII", "emoji"])
def test_a_text_of_the_greatest_length_is_kept(client: Client, alice: str, text: str) -> None:
    id = client.write(alice, text=text)
    assert text == client.get(f"/articles/{id}").json["text"]


@ON_ONE_STORE
@pytest.mark.parametrize(
    ("field", "value"),
    [("user_id", 2), ("id", 777), ("date_posted", "1999-01-01T00:00:00.000000"), ("author", "x")],
)
@pytest.mark.parametrize(("method", "path"), WRITING)
def test_what_the_service_decides_cannot_be_sent(
    client: Client, alice: str, bob: str, *, method: str, path: str, field: str, value: object
) -> None:
    client.write(alice)
    written = send(client, alice, method, path, **{field: value}).json
    assert written.get(field) != value


@pytest.mark.parametrize(("method", "action"), OWN)
def test_nobody_touches_the_article_of_another(
    client: Client, alice: str, bob: str, method: str, action: str
) -> None:
    id = client.write(alice)
    expected = refusal(403, f"You can {action} only own article")
    assert expected == answer(send(client, bob, method, f"/articles/{id}/{action}"))


@pytest.mark.parametrize(("method", "action"), OWN)
def test_a_refused_request_leaves_the_article_as_it_is(
    client: Client, alice: str, bob: str, method: str, action: str
) -> None:
    id = client.write(alice)
    before = client.get(f"/articles/{id}").json
    send(client, bob, method, f"/articles/{id}/{action}", title="Another")
    assert ok(before) == answer(client.get(f"/articles/{id}"))


@pytest.mark.parametrize("id", ["999", "9223372036854775808"])
@pytest.mark.parametrize(("method", "action"), OWN)
def test_only_an_article_that_exists_can_be_touched(
    client: Client, alice: str, method: str, action: str, id: str
) -> None:
    client.write(alice)
    expected = refusal(404, f"Article with id={id} was not found")
    assert expected == answer(send(client, alice, method, f"/articles/{id}/{action}"))


@ON_ONE_STORE
@pytest.mark.parametrize("id", ["0", "-1", "+1", "01", "1.0", "1_0", "abc", "new", "1" * 4000])
@pytest.mark.parametrize(("method", "action"), OWN)
def test_an_id_that_is_none_names_no_article(
    client: Client, alice: str, method: str, action: str, id: str
) -> None:
    client.write(alice)
    expected = refusal(404, f"Article with id={id} was not found")
    assert expected == answer(send(client, alice, method, f"/articles/{id}/{action}"))


FIRST_WRONG = [
    pytest.param("", "999", "", 401, "Access-token is missing. Log in, please", id="no token"),
    pytest.param("abc", "999", "", 401, "Invalid access-token. Log in please", id="bad token"),
    pytest.param("bob", "999", "", 404, "Article with id=999 was not found", id="no article"),
    pytest.param("bob", "1", "", 403, "You can edit only own article", id="not the author"),
    pytest.param("alice", "1", "", 400, "Article title is missing", id="no title"),
]


@ON_ONE_STORE
@pytest.mark.parametrize(("who", "id", "title", "status", "sentence"), FIRST_WRONG)
def test_an_edit_is_checked_for_token_then_article_then_author_then_fields(
    client: Client,
    alice: str,
    bob: str,
    *,
    who: str,
    id: str,
    title: str,
    status: int,
    sentence: str,
) -> None:
    client.write(alice)
    token = {"alice": alice, "bob": bob}.get(who, who)
    edited = send(client, token, "PUT", f"/articles/{id}/edit", title=title)
    assert refusal(status, sentence) == answer(edited)


@ON_ONE_STORE
def test_a_new_article_is_checked_for_its_token_first(client: Client) -> None:
    expected = refusal(401, "Access-token is missing. Log in, please")
    assert expected == answer(client.post("/articles/new", {}))


@ON_ONE_STORE
def test_deleting_needs_no_title_and_no_text(client: Client, alice: str) -> None:
    id = client.write(alice)
    assert client.delete(f"/articles/{id}/delete", {"access-token": alice}).status_code == 200
