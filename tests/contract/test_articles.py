from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from forum.domain.ids import MAX_ID
from forum.domain.model import Article, Author, Draft, Headline, Position
from tests.contract.conftest import NOW, Store, at_once


def post(store: Store, author: Author, seconds: int = 0, title: str = "A title") -> Article:
    article = store.articles.add(author, Draft(title, "A text"), NOW + timedelta(seconds=seconds))
    assert article
    return article


def headline(article: Article) -> Headline:
    return Headline(article.id, article.title, article.date_posted, article.author)


def test_a_new_article_can_be_found_as_it_was_given(store: Store, alice: Author) -> None:
    article = post(store, alice)
    assert store.articles.find(article.id) == article
    assert article == Article(article.id, "A title", "A text", NOW, alice)


@pytest.mark.parametrize(
    "text",
    ["\U0001f600 é ٣", "a\r\n\tb ", "'; DROP TABLE articles; --", "%s ? :x", "x" * 100_000, "\x01"],
    ids=["unicode", "white space", "SQL", "placeholders", "long", "control"],
)
def test_every_text_comes_back_as_it_was(store: Store, alice: Author, text: str) -> None:
    article = store.articles.add(alice, Draft(text[:300], text), NOW)
    assert article
    found = store.articles.find(article.id)
    assert found
    assert (found.title, found.text) == (text[:300], text)


def test_an_article_without_an_author_is_not_stored(store: Store, alice: Author) -> None:
    assert store.articles.add(Author(99, "nobody"), Draft("A title", "A text"), NOW) is None
    assert store.articles.latest(0, 10) == []


@pytest.mark.parametrize("id", [2, MAX_ID])
def test_no_article_is_found_by_an_unknown_id(store: Store, alice: Author, id: int) -> None:
    post(store, alice)
    assert (store.articles.find(id), store.articles.find_author_id(id)) == (None, None)


def test_the_author_of_an_article_is_known(store: Store, alice: Author, bob: Author) -> None:
    assert store.articles.find_author_id(post(store, bob).id) == bob.id


def test_the_id_of_the_deleted_newest_article_is_not_given_again(
    store: Store, alice: Author
) -> None:
    newest = post(store, alice)
    store.articles.delete(newest.id, alice)
    assert post(store, alice).id > newest.id


def test_the_newest_article_comes_first_and_of_equals_the_one_with_the_higher_id(
    store: Store, alice: Author
) -> None:
    late, first, second, early = (post(store, alice, at) for at in (9, 5, 5, 1))
    expected = [headline(each) for each in (late, second, first, early)]
    assert store.articles.latest(0, 10) == expected


def test_every_article_is_on_exactly_one_page(store: Store, alice: Author) -> None:
    ids = {post(store, alice, number // 3).id for number in range(11)}
    pages = [store.articles.latest(offset, 4) for offset in (0, 4, 8)]
    assert [each.id for page in pages for each in page] == sorted(ids, reverse=True)


@pytest.mark.parametrize("offset", [3, 10**6, MAX_ID])
def test_a_page_past_the_end_is_empty(store: Store, alice: Author, offset: int) -> None:
    for _ in range(3):
        post(store, alice)
    pages = (store.articles.latest(offset, 10), store.articles.latest_by(alice.id, offset, 10))
    assert pages == ([], [])


def test_a_list_by_author_has_all_of_their_articles_and_no_others(
    store: Store, alice: Author, bob: Author
) -> None:
    articles = [post(store, author, at) for at, author in enumerate([alice, bob] * 4)]
    expected = [headline(each) for each in reversed(articles[1::2])]
    both = store.articles.latest_by(bob.id, 0, 2) + store.articles.latest_by(bob.id, 2, 10)
    assert both == expected


def test_an_update_changes_title_and_text_and_nothing_else(store: Store, alice: Author) -> None:
    article = post(store, alice)
    changed = store.articles.update(article.id, alice, Draft("New title", "New text"))
    assert changed == Article(article.id, "New title", "New text", NOW, alice)
    assert store.articles.find(article.id) == changed


def test_a_delete_answers_what_was(store: Store, alice: Author) -> None:
    article = post(store, alice)
    assert store.articles.delete(article.id, alice) == article
    assert store.articles.find(article.id) is None


def test_nobody_changes_what_is_not_his(store: Store, alice: Author, bob: Author) -> None:
    article = post(store, alice)
    assert store.articles.update(article.id, bob, Draft("New title", "New text")) is None
    assert store.articles.delete(article.id, bob) is None
    assert store.articles.find(article.id) == article


def test_what_is_not_there_is_not_changed(store: Store, alice: Author) -> None:
    gone = post(store, alice)
    store.articles.delete(gone.id, alice)
    assert store.articles.update(gone.id, alice, Draft("New title", "New text")) is None
    assert store.articles.delete(gone.id, alice) is None


def test_of_many_who_delete_an_article_at_once_one_does(store: Store, alice: Author) -> None:
    article = post(store, alice)
    results = at_once(8, lambda: store.articles.delete(article.id, alice))
    assert sorted(results, key=bool) == [None] * 7 + [article]


def test_an_edit_beside_a_delete_never_brings_the_article_back(store: Store, alice: Author) -> None:
    articles = [post(store, alice) for _ in range(10)]

    def edit_and_delete() -> None:
        for article in articles:
            store.articles.update(article.id, alice, Draft("New title", "New text"))
            store.articles.delete(article.id, alice)

    at_once(4, edit_and_delete)
    assert store.articles.latest(0, 100) == []


def test_many_posts_at_once_get_ids_of_their_own(store: Store, alice: Author) -> None:
    articles = at_once(8, lambda: post(store, alice))
    assert len({each.id for each in articles if isinstance(each, Article)}) == 8


def test_the_date_of_a_headline_is_in_utc(store: Store, alice: Author) -> None:
    post(store, alice)
    assert store.articles.latest(0, 1)[0].date_posted.tzinfo is UTC


def test_older_articles_begin_after_a_position(store: Store, alice: Author, bob: Author) -> None:
    first, second = post(store, alice), post(store, bob)  # of one moment: the id decides
    third = post(store, alice, seconds=1)
    place = Position(third.date_posted, third.id)
    assert store.articles.older(place, 9) == [headline(second), headline(first)]
    assert store.articles.older(place, 1) == [headline(second)]
    assert store.articles.older_by(alice.id, place, 9) == [headline(first)]


def test_a_position_need_be_no_articles(store: Store, alice: Author) -> None:
    articles = [post(store, alice, seconds=number) for number in range(3)]
    between = Position(NOW + timedelta(seconds=1, microseconds=1), 1)
    newest_first = [headline(each) for each in reversed(articles)]
    assert store.articles.older(between, 9) == newest_first[1:]
    assert store.articles.older(Position(NOW.replace(year=9999), MAX_ID), 9) == newest_first
    assert store.articles.older(Position(NOW.replace(year=1), 1), 9) == []


def walk(store: Store, limit: int) -> list[int]:
    """The ids of all articles, by positions."""
    found: list[int] = []
    place = Position(datetime.max.replace(tzinfo=UTC), MAX_ID)
    while rows := store.articles.older(place, limit):
        assert rows[-1]
        found += [each.id for each in rows if each]
        place = Position(rows[-1].date_posted, rows[-1].id)
    return found


def test_whoever_follows_positions_meets_each_article_once(store: Store, alice: Author) -> None:
    random = Random(1)
    ids = [post(store, alice, seconds=random.randrange(5)).id for _ in range(40)]
    assert {tuple(sorted(walk(store, limit))) for limit in (1, 3, 7, 100)} == {tuple(sorted(ids))}
    assert walk(store, 3) == [each.id for each in store.articles.latest(0, 100) if each]
