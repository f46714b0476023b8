"""
A PostgreSQL database as an end of a move.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import attrs

from clientela.adapters.postgres.connections import TRANSACTION_TIMEOUT_SINCE, Connection
from clientela.adapters.postgres.opening import connected, prepare
from clientela.adapters.transfer.tables import ROWS_AT_ONCE, TABLES, Row
from clientela.services.ports import GAPS


COPY_S = 3_600.0
"""Seconds that writing one page may take at most; the disk of a server may be busy."""

_UNBOUNDED = (
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
    # Sorting all rows of a large table by index alone would take longer than reading it.
    "SET enable_seqscan = on",
)

_TRANSACTION_UNBOUNDED = "SET transaction_timeout = 0"

_SELECTS: Mapping[str, str] = {
    "journals": """
SELECT kind, id, version, hash, recorded_at FROM journals WHERE version > 0 ORDER BY kind, id
""",
    "key_fence": "SELECT kek_id FROM key_fence WHERE kek_id <> ''",
}
"""Where the database keeps rows that are of no use elsewhere."""

_NOTE = """
INSERT INTO notes (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""

_FENCE = "UPDATE key_fence SET kek_id = $1"


@attrs.frozen
class ServerEnd:
    """
    A connection in a transaction that sees one moment.

    Attributes:
        connection: To the database.
    """

    connection: Connection

    async def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """The rows of a table, so many at once, in its order."""
        columns, order = TABLES[table].columns, TABLES[table].order
        plain = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {', '.join(order)}"  # noqa: S608
        cursor = await self.connection.cursor(_SELECTS.get(table, plain))
        while page := await cursor.fetch(ROWS_AT_ONCE):
            yield [_read(table, tuple(row)) for row in page]

    async def write(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        match table:
            case "notes":
                kept = [(name, value.encode()) for name, value in rows if name != GAPS or value]
                await self.connection.executemany(_NOTE, kept)
            case "key_fence":
                await self.connection.executemany(_FENCE, rows)
            case _:
                columns = TABLES[table].columns
                await self.connection.copy_records_to_table(
                    table, records=rows, columns=columns, timeout=COPY_S
                )


def _read(table: str, row: Row) -> Row:
    if table == "notes":
        name, value = row
        return name, bytes(value).decode()
    return row


@asynccontextmanager
async def server_end(url: str, *, is_target: bool) -> AsyncGenerator[ServerEnd]:
    """
    A database from here to the end of the block; tables are made in an empty one.

    What is written is kept when the block ends well, and not at all otherwise.

    Raises:
        StoreUnsuitableError: it must not be used; the message says what to do.

        StoreUnavailableError: it cannot be reached.
    """
    if is_target:
        await prepare(url)
    async with connected(url) as connection:
        for statement in _UNBOUNDED:
            await connection.execute(statement)
        if connection.get_server_version().major >= TRANSACTION_TIMEOUT_SINCE:
            await connection.execute(_TRANSACTION_UNBOUNDED)
        async with connection.transaction(
            isolation="read_committed" if is_target else "repeatable_read", readonly=not is_target
        ):
            yield ServerEnd(connection)
