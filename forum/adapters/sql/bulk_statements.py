"""The statements that read and write whole tables."""

from peewee import JOIN, SQL, Column, Select, Table, fn

from forum.adapters.sql import audit
from forum.adapters.sql.statements import Statement, param
from forum.adapters.sql.tables import articles, audit_entries, sessions, users

_BATCH = 1000
"""Rows that are in memory at the same time while a whole table is read."""


def _batch(query: Select, key: Column) -> Statement:
    return Statement(query.where(key > param("after")).order_by(key).limit(SQL(str(_BATCH))))


def _insert(table: Table, *columns: str) -> Statement:
    return Statement(table.insert({getattr(table.c, each): param(each) for each in columns}))


COUNT_ACCOUNTS, COUNT_ARTICLES, COUNT_SESSIONS, COUNT_AUDIT_ENTRIES = (
    Statement(table.select(fn.COUNT(SQL("1"))))
    for table in (users, articles, sessions, audit_entries)
)
ACCOUNTS = _batch(
    users.select(
        users.c.id,
        users.c.username,
        users.c.date_registered,
        users.c.password_hash,
        users.c.is_disabled,
    ),
    users.c.id,
)
ARTICLES = _batch(
    articles.select(
        articles.c.id,
        articles.c.title,
        articles.c.text,
        articles.c.date_posted,
        articles.c.user_id,
        users.c.username,
    ).join(users, JOIN.LEFT_OUTER, on=(users.c.id == articles.c.user_id)),
    articles.c.id,
)
SESSIONS = _batch(
    sessions.select(
        sessions.c.id,
        sessions.c.created,
        sessions.c.last_used,
        sessions.c.expires,
        sessions.c.user_id,
        users.c.id,
    ).join(users, JOIN.LEFT_OUTER, on=(users.c.id == sessions.c.user_id)),
    sessions.c.id,
)
AUDIT_ENTRIES = _batch(
    audit_entries.select(
        audit_entries.c.id, *(getattr(audit_entries.c, each) for each in audit.COLUMNS)
    ),
    audit_entries.c.id,
)
ADD_ACCOUNT = _insert(users, "id", "username", "date_registered", "password_hash", "is_disabled")
ADD_ARTICLE = _insert(articles, "id", "title", "text", "date_posted", "user_id")
ADD_SESSION = _insert(sessions, "id", "created", "last_used", "expires", "user_id")
