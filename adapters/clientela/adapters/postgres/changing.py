"""
What is written beside appends: fence and wrapping of keys, notes, old answers.

Each is one statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clientela.adapters.postgres.connections import Connection
from clientela.adapters.sqlite.values import instant, name_of
from clientela.services.key_rows import KeyRow
from clientela.services.ports import PAGE_MAX


_SET_FENCE = "UPDATE key_fence SET kek_id = $1"


async def fence_keys(connection: Connection, kek_id: str) -> None:
    """Take new key rows under one key only; waits for appends under way that make some."""
    await connection.execute(_SET_FENCE, kek_id)


_FENCE = "SELECT kek_id FROM key_fence"


async def fence(connection: Connection) -> str:
    """The key-encryption key that new key rows must be wrapped under; empty for any."""
    return str(await connection.fetchval(_FENCE) or "")


_REWRAP = """
WITH rewrapped AS (
    UPDATE key_rows SET kek_id = new.kek_id, wrapped = new.wrapped
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::bytea[])
        AS new (kind, id, before_kek_id, before, kek_id, wrapped)
    WHERE key_rows.kind = new.kind AND key_rows.id = new.id
        AND key_rows.kek_id = new.before_kek_id AND key_rows.wrapped = new.before
    RETURNING 1
), counted AS (
    UPDATE key_changes SET count = count + 1 WHERE (SELECT count(*) FROM rewrapped) > 0
)
SELECT count(*) FROM rewrapped
"""


async def rewrap_keys(connection: Connection, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
    """Replace the rows that are still the same."""
    rows = sorted(
        (*name_of(old.person), old.kek_id, old.wrapped, new.kek_id, new.wrapped)
        for old, new in pairs
        if not old.is_erased
    )
    columns = list(zip(*rows, strict=True)) or [()] * 6
    return int(await connection.fetchval(_REWRAP, *columns))


_PURGE_ANSWERS = """
DELETE FROM answers WHERE request IN (
    SELECT request FROM answers WHERE at < $1 ORDER BY at, request LIMIT $2
)
RETURNING 1
"""


async def purge_answers(connection: Connection, before: datetime, limit: int) -> int:
    """Drop the oldest answers given before a moment."""
    rows = await connection.fetch(_PURGE_ANSWERS, instant(before), min(limit, PAGE_MAX))
    return len(rows)


_NOTE = """
INSERT INTO notes (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""

_FIRST_NOTE = """
INSERT INTO notes (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING name
"""

_SWAP_NOTE = "UPDATE notes SET value = $2 WHERE name = $1 AND value = $3 RETURNING name"


async def write_note(connection: Connection, name: str, value: str) -> None:
    """Write a note."""
    await connection.execute(_NOTE, name, value.encode())


async def swap_note(connection: Connection, name: str, old: str | None, new: str) -> bool:
    """Write a note if it says *old*, None for nothing yet; whether it did."""
    if old is None:
        return await connection.fetchval(_FIRST_NOTE, name, new.encode()) is not None
    row = (name, new.encode(), old.encode())
    return await connection.fetchval(_SWAP_NOTE, *row) is not None
