from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.tables import MemoryTables
from forum.domain.articles import page_number
from forum.domain.errors import (
    ArticleNotFound,
    BadText,
    BadTitle,
    InvalidToken,
    NotTheAuthor,
    TextMissing,
    TitleMissing,
    UserNotFound,
)
from forum.domain.model import Article, Author, User
from tests.unit.conftest import Forum

BLANKS = [None, "", 0, False, [], {}, " ", "\n\t \u3000"]


def post(forum: Forum, author: User, title: str = "A title") -> Article:
    return forum.articles.post(author, title=title, text="A text")


def test_a_new_article_is_posted_now_by_its_author(forum: Forum, alice: User) -> None:
    expected = Article(1, "A title", "A text", forum.clock.now(), Author(1, "alice#1"))
    assert post(forum, alice) == expected


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_title_is_missing_before_anything_else(
    forum: Forum, alice: User, blank: object
) -> None:
    with pytest.raises(TitleMissing):
        forum.articles.post(alice, title=blank, text=None)


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_text_is_missing_before_any_format(
    forum: Forum, alice: User, blank: object
) -> None:
    with pytest.raises(TextMissing):
        forum.articles.post(alice, title=5, text=blank)


@pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}, "a\0b", "\ud800", "x" * 11, b"x"])
def test_a_title_that_no_store_should_keep_is_bad(forum: Forum, alice: User, value: object) -> None:
    with pytest.raises(BadTitle):
        forum.articles.post(alice, title=value, text=5)


@pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}, "a\0b", "é\udfff", "x" * 21])
def test_a_text_that_no_store_should_keep_is_bad(forum: Forum, alice: User, value: object) -> None:
    with pytest.raises(BadText):
        forum.articles.post(alice, title="A title", text=value)


def test_limits_count_characters(forum: Forum, alice: User) -> None:
    article = forum.articles.post(alice, title="\U0001f600" * 10, text="\U0001f600" * 20)
    assert (len(article.title), len(article.text)) == (10, 20)


def test_who_is_gone_posts_nothing(forum: Forum, alice: User) -> None:
    forum.administration.delete("alice#1", None)
    with pytest.raises(InvalidToken):
        post(forum, alice)


def test_an_edit_changes_title_and_text_alone(forum: Forum, alice: User) -> None:
    before = post(forum, alice)
    forum.clock.moment += timedelta(days=1)
    after = forum.articles.edit(alice, "1", title="New title", text="New text")
    assert after == Article(1, "New title", "New text", before.date_posted, before.author)


@pytest.mark.parametrize("id", ["99", "abc", "01", "0", str(2**63)])
def test_an_unknown_article_is_refused_before_its_fields(
    forum: Forum, alice: User, id: str
) -> None:
    with pytest.raises(ArticleNotFound) as caught:
        forum.articles.edit(alice, id, title=None, text=None)
    assert caught.value.id == id


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_the_article_of_another_is_refused_before_its_fields(
    forum: Forum, alice: User, bob: User, action: str
) -> None:
    post(forum, alice)
    fields = {"title": None, "text": None} if action == "edit" else {}
    with pytest.raises(NotTheAuthor) as caught:
        getattr(forum.articles, action)(bob, "1", **fields)
    assert caught.value.action == action
    assert forum.audit_log.names()[-1] == "not the author"


def test_a_deleted_article_is_answered_and_gone(forum: Forum, alice: User) -> None:
    article = post(forum, alice)
    assert forum.articles.delete(alice, "1") == article
    with pytest.raises(ArticleNotFound):
        forum.articles.read("1")


class Vanishing(MemoryArticles):
    """Articles that are deleted between the check and the write."""

    def find_author_id(self, article_id: int) -> int | None:
        author_id = super().find_author_id(article_id)
        self._tables.articles.clear()
        return author_id


@pytest.mark.parametrize("action", ["edit", "delete"])
def test_an_article_that_was_just_deleted_is_not_found(action: str) -> None:
    store = MemoryTables()
    forum = Forum(store=store, articles=Vanishing(store))
    alice = forum.register("alice#1")
    post(forum, alice)
    fields = {"title": "New title", "text": "New text"} if action == "edit" else {}
    with pytest.raises(ArticleNotFound):
        getattr(forum.articles, action)(alice, "1", **fields)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, 1), ("", 1), ("0", 1), ("000", 1), ("-1", 1), ("1.5", 1), ("1e3", 1), ("1_0", 1),
        ("\u0663", 1), ("1,2", 1), (" 2", 1), ("2\n", 1), ("1", 1), ("2", 2), ("02", 2),
        ("0" * 5000 + "7", 7), ("9" * 15, 10**15 - 1), ("9" * 16, 10**15), ("9" * 5000, 10**15),
    ],
)  # fmt: skip
def test_a_page_number_is_plain_digits_or_the_first(text: str | None, number: int) -> None:
    assert page_number(text) == number


@pytest.mark.parametrize(("count", "has_next"), [(0, False), (3, False), (4, True)])
def test_a_page_tells_whether_another_follows(
    forum: Forum, alice: User, count: int, has_next: bool
) -> None:
    for _ in range(count):
        post(forum, alice)
    assert forum.articles.latest(page=None).has_next is has_next


def test_the_articles_of_nobody_are_not_found(forum: Forum, alice: User) -> None:
    with pytest.raises(UserNotFound):
        forum.articles.latest_by("99", page=None)


class Step(NamedTuple):
    """One thing that happens in a forum; `which` chooses among the articles that are there."""

    action: str
    by_alice: bool
    which: int
    seconds: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["post", "post", "edit", "delete"]),
        st.booleans(),
        st.integers(0, 99),
        st.integers(0, 1),
    ),
    max_size=30,
)


def all_pages(forum: Forum, user_id: str | None = None) -> list[int]:
    """The ids of all pages in a row."""
    ids: list[int] = []
    for number in range(1, 20):
        page = (
            forum.articles.latest_by(user_id, page=str(number))
            if user_id
            else forum.articles.latest(page=str(number))
        )
        ids += [each.id for each in page.headlines]
        if not page.has_next:
            return ids
    raise AssertionError("the pages do not end")


@given(STEPS)
def test_whatever_happens_the_pages_equal_a_plain_list(steps: list[Step]) -> None:
    forum = Forum()
    people = [forum.register("bobby#2"), forum.register("alice#1")]
    plain: list[Article] = []
    for step in steps:
        forum.clock.moment += timedelta(seconds=step.seconds)
        if step.action == "post":
            plain.insert(0, post(forum, people[step.by_alice]))
        elif plain:
            index = step.which % len(plain)
            editor, id = people[plain[index].author.id - 1], str(plain[index].id)
            if step.action == "edit":
                plain[index] = forum.articles.edit(editor, id, title="New title", text="New text")
            else:
                plain.remove(forum.articles.delete(editor, id))
    assert all_pages(forum) == [each.id for each in plain]
    assert all_pages(forum, "2") == [each.id for each in plain if each.author.id == 2]
