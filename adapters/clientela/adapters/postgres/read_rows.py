"""
Rows of read models as SQL over one connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clientela.adapters.postgres.connections import Connection
from clientela.services.read_models import Row, Term
from clientela.services.store_errors import ModelMovedError


_POSITION = "SELECT position FROM read_models WHERE model = $1"


async def position(connection: Connection, model: str) -> int:
    """Position up to which a model has taken in the journal; 0 for a new one."""
    return await connection.fetchval(_POSITION, model) or 0


_ROWS = "SELECT key, body FROM read_rows WHERE model = $1 AND key = ANY ($2::text[])"


async def rows(connection: Connection, model: str, keys: Iterable[str]) -> dict[str, bytes]:
    """Bodies of those rows that exist."""
    found = await connection.fetch(_ROWS, model, list(keys))
    return {row["key"]: row["body"] for row in found}


_TERMS = "SELECT key, field, value FROM read_terms WHERE model = $1 AND key = ANY ($2::text[])"


async def terms(
    connection: Connection, model: str, keys: Iterable[str]
) -> dict[str, frozenset[Term]]:
    """All that those rows that exist are found by."""
    wanted = list(keys)
    found: dict[str, set[Term]] = {key: set() for key in await rows(connection, model, wanted)}
    for row in await connection.fetch(_TERMS, model, wanted):
        found.setdefault(row["key"], set()).add((row["field"], bytes(row["value"]).decode()))
    return {key: frozenset(each) for key, each in found.items()}


_BEGIN = "INSERT INTO read_models (model, position) VALUES ($1, 0) ON CONFLICT (model) DO NOTHING"

_MOVE = "UPDATE read_models SET position = $3 WHERE model = $1 AND position = $2 RETURNING 1"

_PUT_ROWS = """
INSERT INTO read_rows (model, key, body)
SELECT $1, new.key, new.body FROM unnest($2::text[], $3::bytea[]) AS new (key, body)
ON CONFLICT (model, key) DO UPDATE SET body = excluded.body
"""

# Value by value through the index: of a set of terms the server, which does not know how large the
# table has become, compares every member with every row of the model.
_DROP_TERMS = """
DELETE FROM read_terms WHERE model = $1 AND field = $2 AND value = $3 AND key = ANY ($4::text[])
"""

_PUT_TERMS = """
INSERT INTO read_terms (model, key, field, value)
SELECT $1, new.key, new.field, new.value
FROM unnest($2::text[], $3::text[], $4::bytea[]) AS new (key, field, value)
ON CONFLICT (model, field, value, key) DO NOTHING
"""


async def write(
    connection: Connection, model: str, seen: int, position: int, new: Mapping[str, Row]
) -> None:
    """
    Put rows in and move the model on.

    Args:
        connection: That writes, in a transaction.

        model: Which.

        seen: Position up to which the rows were made from what is kept.

        position: Position up to which they are true.

        new: The rows by key.

    Raises:
        ModelMovedError: another process has moved it on since *seen*.
    """
    if not seen:
        await connection.execute(_BEGIN, model)
    if not await connection.fetchval(_MOVE, model, seen, position):
        raise ModelMovedError(model)
    if not new:
        return
    keys = sorted(new)
    await connection.execute(_PUT_ROWS, model, keys, [new[key].body for key in keys])
    kept = {tuple(row) for row in await connection.fetch(_TERMS, model, keys)}
    wanted = {(key, field, value.encode()) for key in keys for field, value in new[key].terms}
    left = by_value(sorted(kept - wanted))
    await connection.executemany(_DROP_TERMS, [(model, *each) for each in left])
    if added := sorted(wanted - kept):
        await connection.execute(_PUT_TERMS, model, *zip(*added, strict=True))


def by_value(terms: Iterable[tuple[str, str, bytes]]) -> list[tuple[str, bytes, list[str]]]:
    """
    Key, field and value of terms as field, value and all keys: many rows leave the same few values.
    """
    keys: dict[tuple[str, bytes], list[str]] = {}
    for key, field, value in terms:
        keys.setdefault((field, value), []).append(key)
    return [(*term, of) for term, of in keys.items()]


_DROP_ALL = ("DELETE FROM read_terms", "DELETE FROM read_rows", "DELETE FROM read_models")


async def drop_all(connection: Connection) -> None:
    """Throw every model away."""
    for statement in _DROP_ALL:
        await connection.execute(statement)


_DROP = (
    "DELETE FROM read_terms WHERE model = $1",
    "DELETE FROM read_rows WHERE model = $1",
    "DELETE FROM read_models WHERE model = $1",
)


async def drop(connection: Connection, model: str) -> None:
    """Throw a model away."""
    for statement in _DROP:
        await connection.execute(statement, model)
