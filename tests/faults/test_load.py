"""What the load counts as a fault, each shown to be counted."""

from typing import Any

import pytest

from tests.support.client import Outcome
from tests.support.load import LEAST, Load, is_article, is_page, is_written, place

WRITTEN = {
    "id": 1,
    "title": "a",
    "text": "The text of a",
    "date_posted": "2020-02-02",
    "user_id": 1,
}
ARTICLE = {**WRITTEN, "author.username": "alice#1"}


def headline(id: int) -> dict[str, Any]:
    entry = {"id": id, "title": "a", "date_posted": "2020-02-02", "user_id": 1}
    return {**entry, "author.username": "alice#1"}


def page(*ids: int, **other: object) -> dict[str, Any]:
    return {"articles": [headline(id) for id in ids], "next": False, **other}


def load(acknowledged: dict[str, int]) -> Load:
    """A load that was answered often enough, and whose writes were all sent."""
    outcomes = {(kind, Outcome.ANSWERED): least for kind, least in LEAST.items()}
    load = Load(0, "", {"a", "b", "c"}, acknowledged)
    load.outcomes.update(outcomes)
    return load


@pytest.mark.parametrize(
    ("present", "fault"),
    [
        ([(1, "a")], "lost"),
        ([(1, "a"), (2, "b"), (3, "d")], "never sent"),
        ([(1, "a"), (2, "b"), (3, "b")], "duplicates"),
        ([(1, "a"), (3, "b")], "wrong id"),
    ],
)
def test_what_is_wrong_with_the_articles_is_found(
    present: list[tuple[int, str]], fault: str
) -> None:
    assert fault in load({"a": 1, "b": 2}).faults(present, {})


def test_a_write_that_nobody_heard_of_is_no_fault_but_is_counted() -> None:
    found, present = load({"a": 1}), [(1, "a"), (2, "b")]
    assert (found.faults(present, {}), found.unanswered(present)) == ({}, 1)


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.ANSWERED])
def test_whatever_is_not_allowed_is_a_fault(outcome: Outcome) -> None:
    found = load({})
    found.outcomes["list", outcome] += 2
    assert (found.faults([], {outcome: 2}), found.faults([], {outcome: 1})) == ({}, {outcome: 2})


@pytest.mark.parametrize("kind", LEAST)
def test_a_load_that_did_too_little_is_a_fault(kind: str) -> None:
    found = load({})
    found.outcomes[kind, Outcome.ANSWERED] -= 1
    assert found.faults([], {}) == {f"{kind}: too few by": 1}


@pytest.mark.parametrize(
    "answer",
    [{**WRITTEN, "title": "b"}, {**WRITTEN, "text": "b"}, {**WRITTEN, "id": "1"}, ARTICLE, {}],
)
def test_another_answer_to_a_write_is_wrong(answer: dict[str, Any]) -> None:
    assert (is_written(WRITTEN, "a"), is_written(answer, "a")) == (True, False)


@pytest.mark.parametrize("answer", [{**ARTICLE, "id": 2}, {**ARTICLE, "title": "b"}, WRITTEN])
def test_another_article_than_the_one_that_was_written_is_wrong(answer: dict[str, Any]) -> None:
    assert (is_article(ARTICLE, WRITTEN), is_article(answer, WRITTEN)) == (True, False)


@pytest.mark.parametrize(
    "answer",
    [
        page(1, 2),
        page(2, 2, 1),
        page(*range(11, 0, -1)),
        page(3, 1),
        page(),
        page(3, 2, 1, next=None),
        page(3, 2, 1, more=1),
        {"articles": [{**headline(2), "text": "b"}], "next": False},
    ],
)
def test_a_page_that_is_unsorted_too_long_or_leaves_something_out_is_wrong(
    answer: dict[str, Any],
) -> None:
    recent = [place(headline(2))]
    assert (is_page(page(3, 2, 1), recent), is_page(answer, recent)) == (True, False)


def test_a_full_page_may_have_gone_past_an_article() -> None:
    assert is_page(page(*range(12, 2, -1), next=True), [place(headline(2))])
