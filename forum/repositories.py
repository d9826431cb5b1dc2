"""The repositories of one store together."""

from forum.adapters.memory.articles import MemoryArticles
from forum.adapters.memory.audit import MemoryAuditTrail
from forum.adapters.memory.rate_limits import MemoryRateCounters
from forum.adapters.memory.sessions import MemorySessions
from forum.adapters.memory.tables import MemoryTables
from forum.adapters.memory.users import MemoryUsers
from forum.adapters.sql.articles import SqlArticles
from forum.adapters.sql.audit import SqlAuditTrail
from forum.adapters.sql.database import Database
from forum.adapters.sql.rate_limits import SqlRateCounters
from forum.adapters.sql.sessions import SqlSessions
from forum.adapters.sql.users import SqlUsers
from forum.domain.repositories import Repositories


def memory_repositories(tables: MemoryTables) -> Repositories:
    """The repositories on these tables."""
    return Repositories(
        MemoryUsers(tables),
        MemorySessions(tables),
        MemoryArticles(tables),
        MemoryRateCounters(),
        MemoryAuditTrail(tables),
        lambda: tables.lock,
    )


def sql_repositories(database: Database) -> Repositories:
    """The repositories on this database."""
    return Repositories(
        SqlUsers(database),
        SqlSessions(database),
        SqlArticles(database),
        SqlRateCounters(database),
        SqlAuditTrail(database),
        database.transaction,
    )
