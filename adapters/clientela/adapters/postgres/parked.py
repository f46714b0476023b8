"""
Parked messages in the database of the journal store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.sqlite.parked import COLUMNS, LATEST, parked_of, parked_row
from clientela.adapters.sqlite.values import instant, moment
from clientela.services.parked import ParkedMessage
from clientela.services.ports import PAGE_MAX


class PostgresParked:
    """
    Keeps messages in the database of *store*, as long as that is open.

    Args:
        store: Whose connections do the work.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    async def park(self, message: ParkedMessage) -> bool:
        """Keep a message at the end of its lane."""
        row = parked_row(message)
        return await self._store.put(lambda c: c.fetchval(_PARK, *row)) is not None

    async def lanes(self, among: Iterable[str]) -> frozenset[str]:
        """Lanes in which something is parked."""
        wanted = list(islice(among, PAGE_MAX))
        rows = await self._store.ask(lambda c: c.fetch(_LANES, wanted))
        return frozenset(row["lane"] for row in rows)

    async def heads(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[ParkedMessage]:
        """The first message of every lane."""
        return await self._found(_HEADS, after, min(limit, PAGE_MAX))

    async def page(
        self, after: int = 0, limit: int = PAGE_MAX, lane: str = ""
    ) -> Sequence[ParkedMessage]:
        """Messages of one lane or of all."""
        if lane:
            return await self._found(_LANE, lane, after, min(limit, PAGE_MAX))
        return await self._found(_ALL, after, min(limit, PAGE_MAX))

    async def get(self, number: int) -> ParkedMessage | None:
        """One message."""
        return next(iter(await self._found(_ONE, number)), None)

    async def tried(self, message: ParkedMessage) -> None:
        """Keep what came of another try."""
        tried_at = instant(message.tried_at)
        row = (message.reason, message.problem, tried_at, message.tries, message.number)
        await self._store.put(lambda c: c.execute(_TRIED, *row))

    async def drop(self, number: int) -> bool:
        """Forget a message."""
        return await self._store.put(lambda c: c.fetchval(_DROP, number)) is not None

    async def since(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[tuple[str, datetime]]:
        """Lanes with when their oldest message was parked."""
        rows = await self._store.ask(lambda c: c.fetch(_SINCE, after, min(limit, PAGE_MAX)))
        return [(row["lane"], moment(row["since"])) for row in rows]

    async def drop_lane(self, lane: str, before: datetime | None = None) -> int:
        """Forget a lane."""
        row = (lane, LATEST if before is None else instant(before))
        return len(await self._store.put(lambda c: c.fetch(_DROP_LANE, *row)))

    async def count(self) -> int:
        """How many are parked."""
        return int(await self._store.ask(lambda c: c.fetchval(_COUNT)))

    async def _found(self, statement: str, *values: Any) -> list[ParkedMessage]:
        rows = await self._store.ask(lambda c: c.fetch(statement, *values))
        return [parked_of(row) for row in rows]


_PARK = f"""
INSERT INTO parked ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (lane, mark) DO NOTHING
RETURNING number
"""  # noqa: S608  Made of constants.

_LANES = "SELECT DISTINCT lane FROM parked WHERE lane = ANY($1::text[])"

_HEADS = f"""
SELECT number, {COLUMNS} FROM parked
WHERE number IN (SELECT min(number) FROM parked GROUP BY lane) AND number > $1
ORDER BY number LIMIT $2
"""  # noqa: S608  Made of constants.

_LANE = f"""
SELECT number, {COLUMNS} FROM parked WHERE lane = $1 AND number > $2 ORDER BY number LIMIT $3
"""  # noqa: S608  Made of constants.

_ALL = f"""
SELECT number, {COLUMNS} FROM parked WHERE number > $1 ORDER BY number LIMIT $2
"""  # noqa: S608  Made of constants.

_ONE = f"""
SELECT number, {COLUMNS} FROM parked WHERE number = $1
"""  # noqa: S608  Made of constants.

_TRIED = """
UPDATE parked SET reason = $1, problem = $2, tried_at = $3, tries = $4 WHERE number = $5
"""

_DROP = "DELETE FROM parked WHERE number = $1 RETURNING number"

_SINCE = """
SELECT lane, min(parked_at) AS since FROM parked WHERE lane > $1
GROUP BY lane ORDER BY lane LIMIT $2
"""

_DROP_LANE = "DELETE FROM parked WHERE lane = $1 AND parked_at < $2 RETURNING number"

_COUNT = "SELECT count(*) FROM parked"
