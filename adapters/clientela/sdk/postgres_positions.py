"""
Positions in PostgreSQL, beside the tables of the subscriber; through a pool of asyncpg.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from clientela.sdk.positions import (
    JOURNALS_MAX,
    PARKED_SHOWN_MAX,
    PROBLEM_LENGTH_MAX,
    EpochChangedError,
    Position,
    PositionMovedError,
)


if TYPE_CHECKING:
    from asyncpg import Pool

_TABLE = """
CREATE TABLE IF NOT EXISTS positions (
    consumer TEXT NOT NULL,
    journal TEXT NOT NULL,
    version BIGINT NOT NULL,
    parked TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (consumer, journal)
)
"""

_EPOCHS = """
CREATE TABLE IF NOT EXISTS position_epochs (
    consumer TEXT NOT NULL PRIMARY KEY,
    epoch TEXT NOT NULL
)
"""

_EPOCH = "SELECT epoch FROM position_epochs WHERE consumer = $1"

_KEEP_EPOCH = """
INSERT INTO position_epochs (consumer, epoch) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""

_KNOWN = """
SELECT journal, version, parked FROM positions WHERE consumer = $1 AND journal = ANY($2::TEXT[])
"""

_PARKED = """
SELECT journal, version, parked FROM positions WHERE consumer = $1 AND parked <> ''
ORDER BY journal LIMIT $2
"""

_BEGIN = """
INSERT INTO positions (consumer, journal, version) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING
"""

_ADVANCE = """
UPDATE positions SET version = $1
WHERE consumer = $2 AND journal = $3 AND version = $4 AND parked = ''
RETURNING version
"""

_PARK = "UPDATE positions SET parked = $1 WHERE consumer = $2 AND journal = $3"


class PostgresPositions:
    """
    Keeps positions in PostgreSQL; any number of processes may consume under one name.

    Args:
        pool: Of connections to the database.

        consumer: Whose positions: 1 to 64 characters; a changed handler that has to begin anew
            takes another name.
    """

    def __init__(self, pool: Pool, consumer: str) -> None:
        self._pool = pool
        self._consumer = consumer

    async def create(self) -> None:
        """Make the tables that are not there."""
        await self._pool.execute(_TABLE)
        await self._pool.execute(_EPOCHS)

    async def epoch(self) -> str:
        """The life of the store that positions are of."""
        return await self._pool.fetchval(_EPOCH, self._consumer) or ""

    async def known(self, journals: Iterable[str]) -> Mapping[str, Position]:
        """Positions of those of *journals* that have one."""
        wanted = list(islice(journals, JOURNALS_MAX))
        return _positions(await self._pool.fetch(_KNOWN, self._consumer, wanted))

    @asynccontextmanager
    async def work(self) -> AsyncGenerator[PostgresWork]:
        """A transaction."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield PostgresWork(connection, self._consumer)

    async def parked(self) -> Mapping[str, Position]:
        """Parked journals."""
        return _positions(await self._pool.fetch(_PARKED, self._consumer, PARKED_SHOWN_MAX))

    async def resume(self, journal: str) -> None:
        """Let *journal* go on where it stands."""
        await self._pool.execute(_PARK, "", self._consumer, journal)


class PostgresWork:
    """
    One transaction.

    Args:
        connection: In a transaction.

        consumer: Whose positions.
    """

    def __init__(self, connection: Any, consumer: str) -> None:
        self.connection = connection
        self._consumer = consumer

    @asynccontextmanager
    async def part(self) -> AsyncGenerator[None]:
        """A part that is undone alone."""
        async with self.connection.transaction():
            yield

    async def keep_epoch(self, epoch: str) -> None:
        """Note the life that positions are of."""
        await self.connection.execute(_KEEP_EPOCH, self._consumer, epoch)
        kept = await self.connection.fetchval(_EPOCH, self._consumer)
        if kept != epoch:
            raise EpochChangedError(kept, epoch)

    async def advance(self, journal: str, known: int, to: int) -> None:
        """Note how far *journal* has come."""
        await self.connection.execute(_BEGIN, self._consumer, journal)
        row = (to, self._consumer, journal, known)
        if await self.connection.fetchval(_ADVANCE, *row) is None:
            raise PositionMovedError(journal)

    async def park(self, journal: str, problem: str) -> None:
        """Note that nothing more of *journal* is applied."""
        await self.connection.execute(_BEGIN, self._consumer, journal)
        row = (problem[:PROBLEM_LENGTH_MAX], self._consumer, journal)
        await self.connection.execute(_PARK, *row)


def _positions(rows: Iterable[Any]) -> dict[str, Position]:
    return {row["journal"]: Position(row["version"], row["parked"]) for row in rows}
