"""
Finding rows of read models by their terms, beginning with the rarest term.
"""

from __future__ import annotations

from collections.abc import Sequence

from clientela.adapters.postgres.connections import Connection
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import Term


PROBED_MAX = 1_000
"""Rows counted of each term to find the rarest."""

_ALL = "SELECT key, body FROM read_rows WHERE model = $1 AND key > $2 ORDER BY key LIMIT $3"

_BY_TERM = """
SELECT read_rows.key, read_rows.body
FROM (
    SELECT first.key FROM read_terms AS first
    WHERE first.model = $1 AND first.field = $4 AND first.value = $5 AND first.key > $2
        {others}
    ORDER BY first.key LIMIT $3
) AS found
JOIN read_rows ON read_rows.model = $1 AND read_rows.key = found.key
ORDER BY read_rows.key
"""

_AND = """
        AND EXISTS (
            SELECT 1 FROM read_terms AS other
            WHERE other.model = $1 AND other.field = ${field} AND other.value = ${value}
                AND other.key = first.key
        )
"""


async def find(
    connection: Connection, model: str, terms: Sequence[Term], after: str, limit: int
) -> list[tuple[str, bytes]]:
    """Rows that have all of *terms*, in order of their keys above *after*, at most *limit*."""
    page = min(limit, PAGE_MAX)
    if not terms:
        return [(key, body) for key, body in await connection.fetch(_ALL, model, after, page)]
    ordered = await _rarest_first(connection, model, terms)
    places = range(6, 4 + 2 * len(ordered), 2)
    others = "".join(_AND.format(field=place, value=place + 1) for place in places)
    values = [each for field, value in ordered for each in (field, value.encode())]
    rows = await connection.fetch(_BY_TERM.format(others=others), model, after, page, *values)
    return [(key, body) for key, body in rows]


_FREQUENCIES = """
SELECT (
    SELECT count(*) FROM (
        SELECT 1 FROM read_terms
        WHERE read_terms.model = $1 AND read_terms.field = wanted.field
            AND read_terms.value = wanted.value
        LIMIT $2
    ) AS probed
) AS frequency
FROM unnest($3::text[], $4::bytea[]) WITH ORDINALITY AS wanted (field, value, place)
ORDER BY wanted.place
"""


async def _rarest_first(
    connection: Connection, model: str, terms: Sequence[Term]
) -> Sequence[Term]:
    """The different terms, the rarest first; each is counted up to `PROBED_MAX`."""
    different = list(dict.fromkeys(terms))
    if len(different) > 1:
        fields = [field for field, _ in different]
        values = [value.encode() for _, value in different]
        rows = await connection.fetch(_FREQUENCIES, model, PROBED_MAX, fields, values)
        frequency = {term: row["frequency"] for term, row in zip(different, rows, strict=True)}
        different.sort(key=lambda term: frequency[term])
    return different


_COUNT = """
SELECT value, count(*) AS rows FROM read_terms WHERE model = $1 AND field = $2 GROUP BY value
"""


async def count(connection: Connection, model: str, field: str) -> dict[str, int]:
    """How many rows have each value of *field*."""
    rows = await connection.fetch(_COUNT, model, field)
    return {bytes(row["value"]).decode(): row["rows"] for row in rows}
