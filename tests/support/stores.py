"""Stores as the service opens them, by their URLs."""

from forum import storage
from forum.adapters.sql.peewee_database import PeeweeDatabase
from forum.database_url import parse_database_url


def open_database(url: str, timeout: float) -> PeeweeDatabase:
    return storage.open_database(parse_database_url(url), timeout)
