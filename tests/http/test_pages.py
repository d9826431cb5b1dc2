import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from forum.adapters.memory.tables import MemoryTables
from forum.config import Settings
from tests.http.conftest import ON_ONE_STORE, Client, answer, assemble, ok

PATHS = ["/articles", "/users/1/articles"]
EMPTY = ok({"articles": [], "next": False})


def read(client: Client, path: str, query: str = "") -> tuple[list[int], bool]:
    """The ids on a page, and whether it says that another follows."""
    page = client.get(path, query_string=query).json
    return [each["id"] for each in page["articles"]], page["next"]


def read_all(client: Client, path: str) -> list[int]:
    """The ids of all pages, as a client gets them that follows `next`."""
    ids: list[int] = []
    number, has_next = 0, True
    while has_next:
        number += 1
        page, has_next = read(client, path, f"page={number}")
        ids += page
    return ids


class OfTwo:
    """Pages of two, so that five articles fill three of them."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, page_size=2)

    @pytest.fixture
    def filled(self, client: Client, alice: str) -> Client:
        for _ in range(5):
            client.write(alice)
        return client


@pytest.mark.parametrize("path", PATHS)
class TestPages(OfTwo):
    @pytest.mark.parametrize(
        ("number", "expected"),
        [(1, ([5, 4], True)), (2, ([3, 2], True)), (3, ([1], False)), (4, ([], False))],
    )
    def test_the_newest_articles_stand_on_the_first_page(
        self, filled: Client, path: str, number: int, expected: tuple[list[int], bool]
    ) -> None:
        assert expected == read(filled, path, f"page={number}")

    @ON_ONE_STORE
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "page",
            "page=",
            "page=1",
            "page=01",
            "page=%31",
            "page=0",
            "page=00",
            "page=-1",
            "page=-2",
            "page=+2",
            "page=%2B2",
            "page=%202",
            "page=2%20",
            "page=2%0A",
            "page=2%00",
            "page=%00",
            "page=abc",
            "page=null",
            "page=1.5",
            "page=2.0",
            "page=2e0",
            "page=1e3",
            "page=0x2",
            "page=2_0",
            "page=1,2",
            "page=2,1",
            "page=%D9%A2",
            "page=%EF%BC%92",
            "page=%C2%B2",
            "page=%ff",
            "page=%",
            "page=%zz",
            "page[]=2",
            "Page=2",
            "offset=2",
            "page=1;page=2",
            "page=2'--",
        ],
    )
    def test_what_is_no_page_number_means_the_first_page(
        self, filled: Client, path: str, query: str
    ) -> None:
        assert read(filled, path, query) == ([5, 4], True)

    @ON_ONE_STORE
    @pytest.mark.parametrize(
        "query", ["page=2", "page=02", "page=%32", "x=1&page=2&y", "page=0002"]
    )
    def test_plain_digits_are_a_page_number(self, filled: Client, path: str, query: str) -> None:
        assert read(filled, path, query) == ([3, 2], True)

    @ON_ONE_STORE
    @pytest.mark.parametrize(
        ("query", "ids"),
        [
            ("page=1&page=2", [5, 4]),
            ("page=2&page=1", [3, 2]),
            ("page=2&page=abc", [3, 2]),
            ("page=abc&page=2", [5, 4]),
            ("page=&page=2", [5, 4]),
            ("page&page=2", [5, 4]),
        ],
    )
    def test_the_first_of_two_pages_counts(
        self, filled: Client, path: str, query: str, ids: list[int]
    ) -> None:
        assert (ids, True) == read(filled, path, query)

    @ON_ONE_STORE
    @pytest.mark.parametrize("raw", [b"page=\xff", b"page=\xd9\xa2", b"\xff=\xfe&x"])
    def test_a_query_that_is_no_ascii_means_the_first_page(
        self, filled: Client, path: str, raw: bytes
    ) -> None:
        result, _ = filled.exchange([], path=path, query_string=raw)
        assert [each["id"] for each in result.json["articles"]] == [5, 4]

    @ON_ONE_STORE
    def test_other_parameters_in_any_number_change_nothing(self, filled: Client, path: str) -> None:
        query = "&".join(f"x{number}={number}" for number in range(900))
        assert read(filled, path, query + "&page=2") == ([3, 2], True)

    @pytest.mark.parametrize(
        "number",
        [
            "4",
            "1000000000",
            "9223372036854775807",
            "9223372036854775808",
            "99999999999999999999",
            pytest.param("9" * 5000, id="of 5,000 digits"),
            pytest.param("0" * 5000 + "4", id="behind 5,000 zeros"),
        ],
    )
    def test_a_page_past_the_end_is_empty(self, filled: Client, path: str, number: str) -> None:
        assert answer(filled.get(path, query_string=f"page={number}")) == EMPTY


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("articles", "expected"),
    [(0, (0, False)), (9, (9, False)), (10, (10, False)), (11, (10, True)), (21, (10, True))],
)
def test_a_page_has_ten_articles_and_tells_whether_more_follow(
    client: Client, alice: str, path: str, articles: int, expected: tuple[int, bool]
) -> None:
    for _ in range(articles):
        client.write(alice)
    ids, has_next = read(client, path)
    assert expected == (len(ids), has_next)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("articles", [10, 20, 21])
def test_every_article_stands_on_exactly_one_page(
    client: Client, alice: str, path: str, articles: int
) -> None:
    written = [client.write(alice) for _ in range(articles)]
    assert sorted(written, reverse=True) == read_all(client, path)


class StoppedClock:
    """A clock that always says the same."""

    def now(self) -> datetime:
        return datetime(2020, 2, 2, tzinfo=UTC)


@pytest.fixture
def timeless() -> Iterator[Client]:
    """A forum in which everything happens at one moment."""
    store = MemoryTables()
    application = assemble(store, clock=StoppedClock())
    with Client(application) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_of_articles_of_one_moment_the_higher_id_comes_first(timeless: Client, path: str) -> None:
    # A token that is issued in 2020 is still valid in 2020.
    token = timeless.sign_up("alice#1")
    written = [timeless.write(token) for _ in range(21)]
    assert sorted(written, reverse=True) == read_all(timeless, path)


@pytest.mark.parametrize(
    ("path", "field"), [("/users/1", "date_registered"), ("/articles/1", "date_posted")]
)
def test_a_moment_without_microseconds_has_six_fractional_digits(
    timeless: Client, path: str, field: str
) -> None:
    timeless.write(timeless.sign_up("alice#1"))
    assert timeless.get(path).json[field] == "2020-02-02T00:00:00.000000"


@pytest.mark.parametrize(
    ("path", "field"), [("/users/1", "date_registered"), ("/articles/1", "date_posted")]
)
def test_moments_are_naive_and_in_utc(client: Client, alice: str, path: str, field: str) -> None:
    before = datetime.now(UTC)
    client.write(client.sign_up("bobby#2"))
    moment = client.get(path.replace("users/1", "users/2")).json[field]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", moment)
    assert before <= datetime.fromisoformat(moment + "+00:00") <= datetime.now(UTC)


def test_the_list_of_a_user_has_no_article_of_another(client: Client, alice: str, bob: str) -> None:
    own = [client.write(token) for token in (alice, bob, alice)][1]
    assert read(client, "/users/2/articles") == ([own], False)


@pytest.mark.parametrize("path", PATHS)
def test_a_list_of_nothing_is_empty(client: Client, alice: str, path: str) -> None:
    assert answer(client.get(path)) == EMPTY


@ON_ONE_STORE
def test_an_article_stands_in_both_lists_in_the_same_words(client: Client, alice: str) -> None:
    client.write(alice)
    lists: list[Any] = [client.get(path).json for path in PATHS]
    assert lists[0] == lists[1]
