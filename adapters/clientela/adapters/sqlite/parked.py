"""
Parked messages in the file of the journal store, written by its writer.
"""

from __future__ import annotations

import json
import sqlite3

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.values import instant, moment
from clientela.domain.ids import Blind
from clientela.services.parked import ParkedMessage
from clientela.services.ports import PAGE_MAX


COLUMNS = (
    "id, lane, mark, kind, headers, principal, reason, problem, parked_at, tried_at, tries, body"
)

LATEST = 2**63 - 1
"""Later than every moment, as it is kept."""


class SqliteParked:
    """
    Keeps messages in the database of *store*, as long as that is open.

    Args:
        store: Whose writer and readers do the work.
    """

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def park(self, message: ParkedMessage) -> bool:
        """Keep a message at the end of its lane."""
        return await self._changed(_PARK, parked_row(message)) == 1

    async def lanes(self, among: Iterable[str]) -> frozenset[str]:
        """Lanes in which something is parked."""
        wanted = list(islice(among, PAGE_MAX))
        rows = await self._store.ask(_rows, _LANES, (json.dumps(wanted),))
        return frozenset(lane for (lane,) in rows)

    async def heads(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[ParkedMessage]:
        """The first message of every lane."""
        return await self._found(_HEADS, (after, min(limit, PAGE_MAX)))

    async def page(
        self, after: int = 0, limit: int = PAGE_MAX, lane: str = ""
    ) -> Sequence[ParkedMessage]:
        """Messages of one lane or of all."""
        if lane:
            return await self._found(_LANE, (lane, after, min(limit, PAGE_MAX)))
        return await self._found(_ALL, (after, min(limit, PAGE_MAX)))

    async def get(self, number: int) -> ParkedMessage | None:
        """One message."""
        return next(iter(await self._found(_ONE, (number,))), None)

    async def tried(self, message: ParkedMessage) -> None:
        """Keep what came of another try."""
        tried_at = instant(message.tried_at)
        row = (message.reason, message.problem, tried_at, message.tries, message.number)
        await self._changed(_TRIED, row)

    async def drop(self, number: int) -> bool:
        """Forget a message."""
        return await self._changed(_DROP, (number,)) == 1

    async def since(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[tuple[str, datetime]]:
        """Lanes with when their oldest message was parked."""
        rows = await self._store.ask(_rows, _SINCE, (after, min(limit, PAGE_MAX)))
        return [(lane, moment(parked_at)) for lane, parked_at in rows]

    async def drop_lane(self, lane: str, before: datetime | None = None) -> int:
        """Forget a lane."""
        row = (lane, LATEST if before is None else instant(before))
        return await self._changed(_DROP_LANE, row)

    async def count(self) -> int:
        """How many are parked."""
        [(count,)] = await self._store.ask(_rows, _COUNT, ())
        return int(count)

    async def _found(self, statement: str, row: tuple[Any, ...]) -> list[ParkedMessage]:
        rows = await self._store.ask(_rows, statement, row)
        return [parked_of(dict(each)) for each in rows]

    async def _changed(self, statement: str, row: tuple[Any, ...]) -> int:
        counts: list[int] = []

        def change(connection: sqlite3.Connection) -> bool:
            counts.append(connection.execute(statement, row).rowcount)
            return False

        await self._store.scrub(change)
        return counts[-1]


def parked_row(message: ParkedMessage) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    return (
        message.id,
        message.lane,
        message.mark,
        message.kind,
        json.dumps(dict(message.headers), sort_keys=True),
        message.principal,
        message.reason,
        message.problem,
        instant(message.parked_at),
        instant(message.tried_at),
        message.tries,
        message.body,
    )


def parked_of(row: Mapping[str, Any]) -> ParkedMessage:
    """The message of a row by its columns."""
    return ParkedMessage(
        number=row["number"],
        id=row["id"],
        lane=row["lane"],
        mark=Blind(row["mark"]),
        kind=row["kind"],
        headers=json.loads(row["headers"]),
        principal=row["principal"],
        reason=row["reason"],
        problem=row["problem"],
        parked_at=moment(row["parked_at"]),
        tried_at=moment(row["tried_at"]),
        tries=row["tries"],
        body=row["body"],
    )


def _rows(connection: sqlite3.Connection, statement: str, row: tuple[Any, ...]) -> list[Any]:
    cursor = connection.execute(statement, row)
    names = [column[0] for column in cursor.description]
    if "number" not in names:
        return cursor.fetchall()
    return [dict(zip(names, values, strict=True)) for values in cursor]


_PARK = f"""
INSERT INTO parked ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (lane, mark) DO NOTHING
"""  # noqa: S608  Made of constants.

_LANES = "SELECT DISTINCT lane FROM parked WHERE lane IN (SELECT value FROM json_each(?))"

_HEADS = f"""
SELECT number, {COLUMNS} FROM parked
WHERE number IN (SELECT min(number) FROM parked GROUP BY lane) AND number > ?
ORDER BY number LIMIT ?
"""  # noqa: S608  Made of constants.

_LANE = f"""
SELECT number, {COLUMNS} FROM parked WHERE lane = ? AND number > ? ORDER BY number LIMIT ?
"""  # noqa: S608  Made of constants.

_ALL = f"""
SELECT number, {COLUMNS} FROM parked WHERE number > ? ORDER BY number LIMIT ?
"""  # noqa: S608  Made of constants.

_ONE = f"""
SELECT number, {COLUMNS} FROM parked WHERE number = ?
"""  # noqa: S608  Made of constants.

_TRIED = "UPDATE parked SET reason = ?, problem = ?, tried_at = ?, tries = ? WHERE number = ?"

_DROP = "DELETE FROM parked WHERE number = ?"

_SINCE = """
SELECT lane, min(parked_at) FROM parked WHERE lane > ? GROUP BY lane ORDER BY lane LIMIT ?
"""

_DROP_LANE = "DELETE FROM parked WHERE lane = ? AND parked_at < ?"

_COUNT = "SELECT count(*) FROM parked"
