"""A forum to look at."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from forum.config import Settings
from forum.domain.articles import ArticleLimits
from forum.domain.credentials import is_username
from forum.domain.model import Account, Article, LastIds
from forum.main import build
from forum.storage import open_store, opened_bulk_store
from tests.cli.conftest import run
from tests.conftest import SECRET
from tests.http.conftest import Client

LIMITS = ArticleLimits(10, 300, 100_000)


def made(url: str) -> tuple[list[Account], list[Article], LastIds]:
    settings = Settings.from_environment().on(url)
    with opened_bulk_store(settings) as store, store.snapshot():
        return list(store.accounts()), list(store.articles()), store.last_ids()


def words(url: str) -> list[tuple[str, str, str]]:
    return [(each.title, each.text, each.author.username) for each in made(url)[1]]


def test_users_and_articles_are_what_the_service_would_have_let_in(url: str) -> None:
    result = run("demo", "--users", "40", "--articles", "200", DATABASE_URL=url)
    assert result.exit_code == 0, result.stderr
    accounts, articles, last = made(url)
    assert (len(accounts), len(articles), last.user, last.article) == (40, 200, 40, 200)
    assert all(is_username(each.user.username) for each in accounts)
    assert all(1 <= len(each.title) <= LIMITS.title and each.text for each in articles)
    assert all(one.date_posted <= next.date_posted for one, next in pairwise(articles))
    registered = {each.user.id: each.user.date_registered for each in accounts}
    assert all(registered[each.author.id] <= each.date_posted for each in articles)
    assert len({each.author.id for each in articles}) > 20


def test_whoever_is_named_in_the_end_can_log_in(url: str) -> None:
    printed = run("demo", DATABASE_URL=url).stdout
    found = re.search(r"Log in as (\S+) with the password (\S+)", printed)
    assert found
    settings = replace(Settings.from_environment().on(url), secret_key=SECRET)
    with Client(build(settings, open_store(settings))) as client:
        login = {"username": found[1], "password": found[2]}
        assert client.post("/login", login).status_code == 200


def test_the_same_seed_makes_the_same_words(folder: Path) -> None:
    for name, seed in (("one", "7"), ("two", "7"), ("three", "8")):
        run("demo", "--articles", "20", "--seed", seed, DATABASE_URL=f"sqlite:///{name}.db")
    one, two, three = (words(f"sqlite:///{name}.db") for name in ("one", "two", "three"))
    assert (one == two, one == three) == (True, False)


def test_a_database_in_use_is_left_alone(url: str) -> None:
    run("demo", "--articles", "3", DATABASE_URL=url)
    before = made(url)
    result = run("demo", DATABASE_URL=url)
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: the database has users or articles already\n",
    )
    assert made(url) == before


def test_names_do_not_run_out(folder: Path) -> None:
    assert run("demo", "--users", "2000", "--articles", "0").exit_code == 0
    accounts = made("sqlite:///data/forum.db")[0]
    assert len({each.user.username for each in accounts}) == 2000


@pytest.mark.parametrize(
    "options", [["--users", "0"], ["--users", "x"], ["--articles", "-1"], ["--seed", "1.5"]]
)
def test_numbers_that_make_no_forum_are_refused(folder: Path, options: list[str]) -> None:
    assert run("demo", *options).exit_code == 2
    assert list(folder.iterdir()) == []
