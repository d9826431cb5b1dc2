"""Lists that are followed by `Link`."""

import re
from random import Random

import pytest

from tests.http.conftest import ON_ONE_STORE, Client, answer, ok, refusal

LISTS = ["/articles", "/users/1/articles"]
BAD = refusal(400, "Bad before format")
NOON = "2020-02-02T12:00:00.000000"


@pytest.fixture
def filled(client: Client, alice: str) -> Client:
    """A forum with 25 articles."""
    for number in range(25):
        client.write(alice, f"Number {number}")
    return client


def following(client: Client, target: str) -> str | None:
    """Where the list goes on, as a browser would read it."""
    link = client.get(target).headers.get("link")
    if link is None:
        return None
    found = re.fullmatch(r'<(\?before=\S+)>; rel="next"', link)
    assert found
    return target.partition("?")[0] + found[1]


def ids(client: Client, target: str) -> list[int]:
    return [each["id"] for each in client.get(target).json["articles"]]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_followed_to_its_end(filled: Client, path: str) -> None:
    target: str | None = path
    pages = []
    while target:
        result = filled.get(target).json
        pages.append(len(result["articles"]))
        assert result["next"] == (following(filled, target) is not None)
        target = following(filled, target)
    assert pages == [10, 10, 5]


@pytest.mark.parametrize("path", LISTS)
def test_what_follows_is_the_next_page(filled: Client, path: str) -> None:
    assert filled.get(following(filled, path) or "").json == filled.get(f"{path}?page=2").json
    assert following(filled, f"{path}?page=2") == following(filled, following(filled, path) or "")


def test_nobody_meets_an_article_twice_or_misses_one_while_others_write(
    filled: Client, alice: str
) -> None:
    random = Random(1)
    there = set(range(1, 26))
    met: list[int] = []
    target: str | None = "/articles"
    while target:
        met += ids(filled, target)
        next_target = following(filled, target)
        for _ in range(random.randrange(5)):
            filled.write(alice)
        gone = random.choice(sorted(there))
        filled.delete(f"/articles/{gone}/delete", {"access-token": alice})
        if gone not in met:
            there.discard(gone)
        target = next_target
    assert len(met) == len(set(met))
    assert there <= set(met)


def test_a_client_can_build_it_from_an_entry(filled: Client) -> None:
    last = filled.get("/articles").json["articles"][3]
    expected = ids(filled, "/articles")[4:] + ids(filled, "/articles?page=2")[:4]
    for comma in (",", "%2C", "%2c"):
        assert ids(filled, f"/articles?before={last['date_posted']}{comma}{last['id']}") == expected


def test_it_counts_for_more_than_a_page_and_the_first_counts(filled: Client) -> None:
    target = following(filled, "/articles") or ""
    expected = ids(filled, target)
    assert ids(filled, f"{target}&page=3") == expected
    assert ids(filled, f"{target}&before={NOON},1") == expected
    assert answer(filled.get(f"/articles?before=&{target.partition('?')[2]}")) == BAD


@pytest.mark.parametrize("before", [f"{NOON},1", "9999-12-31T23:59:59.999999,9223372036854775807"])
def test_the_entry_need_not_exist(filled: Client, before: str) -> None:
    expected = [] if before.startswith("2020") else ids(filled, "/articles")
    assert ids(filled, f"/articles?before={before}") == expected


def test_nothing_follows_the_first_moment(filled: Client) -> None:
    result = filled.get("/articles?before=0001-01-01T00:00:00.000000,1")
    assert answer(result) == ok({"articles": [], "next": False})


@ON_ONE_STORE
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "before",
    [
        "", ",", "1", NOON, f"{NOON},", f",{NOON}", f"{NOON},0", f"{NOON},-1", f"{NOON},01",
        f"{NOON},9223372036854775808", f"{NOON},x", f"{NOON},1,1", f"{NOON}, 1", f" {NOON},1",
        f"{NOON}Z,1", "2020-02-30T00:00:00.000000,1", "2020-02-02T24:00:00.000000,1",
        "2020-02-02T00:00:00,1", "2020-02-02 00:00:00.000000,1", "0000-01-01T00:00:00.000000,1",
        "2020-02-02T00:00:60.000000,1", "2020-02-02T00:00:00.000000,\u0661", f"{NOON},1%00",
        "\u0662020-02-02T00:00:00.000000,1", f"{NOON};1", "x" * 5000, f"{NOON},{'9' * 5000}",
        "10000-01-01T00:00:00.000000,1", "2020-02-02T00:00:00.00000,1", "%ff",
    ],
)  # fmt: skip
def test_what_is_no_position_is_refused(client: Client, alice: str, path: str, before: str) -> None:
    assert answer(client.get(f"{path}?before={before}")) == BAD


def test_a_parameter_without_a_value_is_refused(client: Client) -> None:
    assert answer(client.get("/articles?before")) == BAD


def test_a_user_who_is_not_there_comes_first(client: Client) -> None:
    expected = refusal(404, "User with id=9 was not found")
    assert answer(client.get("/users/9/articles?before=x")) == expected


def test_a_page_without_a_next_one_has_no_link(client: Client, alice: str) -> None:
    client.write(alice)
    for target in ("/articles", "/articles?page=9", "/users/1/articles", "/articles/1"):
        assert "link" not in client.get(target).headers
