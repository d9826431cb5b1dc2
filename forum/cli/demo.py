"""A forum to look at."""

from datetime import UTC, datetime
from random import Random

import click

from forum.adapters.passwords import Argon2Passwords
from forum.cli.demo_forum import make_accounts, make_articles
from forum.cli.progress import show_progress
from forum.config import Settings
from forum.domain.model import LastIds
from forum.domain.moving.copying import StoreNotEmpty, require_empty
from forum.storage import opened_bulk_store

_PASSWORD = "Password#1"  # noqa: S105  # of everybody in a forum that is none

_MOST_USERS = 100_000
"""Beyond it names would have to be longer than they may be."""


@click.command()
@click.option("--users", type=click.IntRange(1, _MOST_USERS), default=30, show_default=True)
@click.option("--articles", type=click.IntRange(0, 10**8), default=300, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same makes the same.")
def demo(users: int, articles: int, seed: int) -> None:
    """Fill an empty database with made-up users and articles.

    All or nothing. Everybody has the same password, which is printed: keep it from strangers.
    """
    settings = Settings.from_environment()
    hasher = Argon2Passwords(settings.hash_memory, settings.hash_passes)
    random, now = Random(seed), datetime.now(UTC)  # noqa: S311  # nothing of it is secret
    accounts = make_accounts(random, users, now, hasher.hash(_PASSWORD))
    with opened_bulk_store(settings, create=True) as store, store.exclusive():
        try:
            require_empty(store)
        except StoreNotEmpty:
            raise click.ClickException("the database has users or articles already") from None
        written = make_articles(random, articles, now, [each.user for each in accounts])
        store.add_accounts(show_progress("users", accounts))
        store.add_articles(show_progress("articles", written, articles))
        store.raise_last_ids(LastIds(users, articles))
    click.echo(f"made {users} users and {articles} articles")
    click.echo(f"Log in as {accounts[0].user.username} with the password {_PASSWORD}")
