"""
A PostgreSQL database as seen by migrations.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from clientela.adapters.migrations import Applied, Migration, available, plan
from clientela.adapters.postgres.connections import Connection
from clientela.adapters.sqlite.values import instant


DIALECT = "postgres"

_EXISTS = """
SELECT count(*) FROM information_schema.tables
WHERE table_schema = current_schema() AND table_name = 'migrations'
"""

_TABLES = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()"

_APPLIED = "SELECT number, checksum FROM migrations ORDER BY number"

_REMEMBER = """
INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)
"""


async def is_empty(connection: Connection) -> bool:
    """Whether there is no table yet."""
    return not await connection.fetchval(_TABLES)


async def applied(connection: Connection) -> Sequence[Applied]:
    """What a database went through, in order; nothing for a fresh one."""
    if not await connection.fetchval(_EXISTS):
        return ()
    rows = await connection.fetch(_APPLIED)
    return [Applied(row["number"], row["checksum"]) for row in rows]


async def apply(connection: Connection, migration: Migration) -> None:
    """Carry out one migration and remember it, in one transaction."""
    async with connection.transaction():
        for statement in migration.statements:
            await connection.execute(statement)
        now = instant(datetime.now(UTC))
        await connection.execute(
            _REMEMBER, migration.number, migration.name, migration.checksum, now
        )


async def pending(connection: Connection) -> tuple[Migration, ...]:
    """
    What is still to be applied, in order.

    Raises:
        SchemaNewerError, MigrationChangedError: the database is of another release.
    """
    return plan(available(DIALECT), await applied(connection))
