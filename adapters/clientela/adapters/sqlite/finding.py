"""
Finding rows of read models by their terms, beginning with the rarest term.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Sequence
from typing import Any

from clientela.adapters.sqlite.terms import bucket_of_term, is_hashed
from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import Term


PROBED_MAX = 1_000
"""Rows counted of each term to find the rarest."""

_ALL = """
SELECT rows.key, rows.body FROM read_rows AS rows
WHERE rows.model = ? AND rows.key > ?
ORDER BY rows.key LIMIT ?
"""

# The cross joins keep SQLite from beginning with all rows.
_BY_CODE = """
SELECT rows.key, rows.body
FROM read_terms AS first CROSS JOIN read_rows AS rows
WHERE first.field = ? AND first.value = ? AND first.model = ? AND first.key > ?
    AND rows.model = first.model AND rows.key = first.key
"""

_BY_HASH = """
SELECT rows.key, rows.body
FROM read_hashes AS first CROSS JOIN read_rows AS rows
WHERE first.bucket = ? AND first.released = 0 AND first.field = ? AND first.value = ?
    AND rows.number = first.read_row AND rows.model = ? AND rows.key > ?
"""

_AND_CODE = """
    AND EXISTS (
        SELECT 1 FROM read_terms AS other
        WHERE other.model = rows.model AND other.field = ? AND other.value = ?
            AND other.key = rows.key
    )
"""

_AND_HASH = """
    AND EXISTS (
        SELECT 1 FROM read_hashes AS other
        WHERE other.read_row = rows.number AND other.released = 0
            AND other.field = ? AND other.value = ?
    )
"""

# In the order of the index that it begins with, so that the rest is not even read.
_CODE_PAGE = "ORDER BY first.key LIMIT ?"

_HASH_PAGE = "ORDER BY rows.key LIMIT ?"


def find(
    connection: sqlite3.Connection, model: str, terms: Sequence[Term], after: str, limit: int
) -> list[tuple[str, bytes]]:
    """Rows that have all of *terms*, in order of their keys above *after*, at most *limit*."""
    page = min(limit, PAGE_MAX)
    if not terms:
        return connection.execute(_ALL, (model, after, page)).fetchall()
    first, *others = _rarest_first(connection, model, terms)
    by, paged = (_BY_HASH, _HASH_PAGE) if is_hashed(first) else (_BY_CODE, _CODE_PAGE)
    ands = "".join(_AND_HASH if is_hashed(term) else _AND_CODE for term in others)
    values = [value for term in others for value in term]
    arguments = (*_place(first), model, after, *values, page)
    return connection.execute(by + ands + paged, arguments).fetchall()


def _place(term: Term) -> tuple[Any, ...]:
    return (bucket_of_term(term), *term) if is_hashed(term) else term


_PROBE_CODE = """
SELECT count(*) FROM (
    SELECT 1 FROM read_terms WHERE field = ? AND value = ? AND model = ? LIMIT ?
)
"""

_PROBE_HASH = """
SELECT count(*) FROM (
    SELECT 1 FROM read_hashes
    WHERE bucket = ? AND released = 0 AND field = ? AND value = ?
    LIMIT ?
)
"""


def _rarest_first(
    connection: sqlite3.Connection, model: str, terms: Sequence[Term]
) -> Sequence[Term]:
    different = list(dict.fromkeys(terms))
    if len(different) > 1:
        different.sort(key=lambda term: _frequency(connection, model, term))
    return different


def _frequency(connection: sqlite3.Connection, model: str, term: Term) -> int:
    """How many rows have *term*, counted up to `PROBED_MAX`."""
    probe, of = (_PROBE_HASH, ()) if is_hashed(term) else (_PROBE_CODE, (model,))
    (count,) = connection.execute(probe, (*_place(term), *of, PROBED_MAX)).fetchone()
    return int(count)


_COUNT_CODES = """
SELECT value, count(*) FROM read_terms WHERE model = ? AND field = ? GROUP BY value
"""

_COUNT_HASHES = """
SELECT hashes.value, count(*)
FROM read_hashes AS hashes JOIN read_rows AS rows ON rows.number = hashes.read_row
WHERE rows.model = ? AND hashes.field = ? AND hashes.released = 0
GROUP BY hashes.value
"""


def count(connection: sqlite3.Connection, model: str, field: str) -> dict[str, int]:
    """How many rows have each value of *field*; reads all hashes for a field of hashes."""
    question = _COUNT_HASHES if is_hashed((field, "")) else _COUNT_CODES
    return dict(connection.execute(question, (model, field)).fetchall())
