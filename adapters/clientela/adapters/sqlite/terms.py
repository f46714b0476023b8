"""
Terms of rows of read models: codes in an ordinary index, keyed hashes where they leave no trace.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Iterable

from clientela.adapters.sqlite.values import bucket_of
from clientela.domain.event import Key
from clientela.domain.ids import Blind, Code
from clientela.services.read_models import Term


_HASHED = "token"
_HASHED_BEGINNING = "identifier:"


def is_hashed(term: Term) -> bool:
    """Whether the value of *term* is a keyed hash, which must vanish without a trace."""
    return term[0] == _HASHED or term[0].startswith(_HASHED_BEGINNING)


def bucket_of_term(term: Term) -> int:
    """Where to look for a hash: 20 bits."""
    field, value = term
    return bucket_of(Key(Code(field), Blind(value)))


_CODES_OF = "SELECT field, value FROM read_terms WHERE model = ? AND key = ?"

_ADD_CODE = "INSERT INTO read_terms (model, key, field, value) VALUES (?, ?, ?, ?)"

_DROP_CODE = "DELETE FROM read_terms WHERE model = ? AND key = ? AND field = ? AND value = ?"


def put_codes(connection: sqlite3.Connection, model: str, key: str, codes: Iterable[Term]) -> None:
    """Let a row have these codes and no others."""
    wanted = frozenset(codes)
    found = frozenset(connection.execute(_CODES_OF, (model, key)).fetchall())
    connection.executemany(_DROP_CODE, [(model, key, *term) for term in found - wanted])
    connection.executemany(_ADD_CODE, [(model, key, *term) for term in wanted - found])


_HASHES_OF = "SELECT number, field, value FROM read_hashes WHERE read_row = ? AND released = 0"

_ADD_HASH = "INSERT INTO read_hashes (read_row, bucket, field, value) VALUES (?, ?, ?, ?)"

_BLANK = """
UPDATE read_hashes SET released = 1, bucket = 0, read_row = 0, field = ?, value = ?
WHERE number = ?
"""


def put_hashes(connection: sqlite3.Connection, row: int, hashes: Iterable[Term]) -> int:
    """
    Let the row of this number have these hashes and no others.

    Returns:
        How many it lost.
    """
    wanted = frozenset(hashes)
    rows = connection.execute(_HASHES_OF, (row,)).fetchall()
    found = {(field, value): number for number, field, value in rows}
    lost = [(number, *term) for term, number in found.items() if term not in wanted]
    _blank(connection, lost)
    added = sorted(wanted - found.keys())
    connection.executemany(_ADD_HASH, [(row, bucket_of_term(term), *term) for term in added])
    return len(lost)


def terms_of(connection: sqlite3.Connection, model: str, key: str, row: int) -> frozenset[Term]:
    """Codes of a row by its key, and hashes of it by its number."""
    codes = connection.execute(_CODES_OF, (model, key)).fetchall()
    hashes = connection.execute(_HASHES_OF, (row,)).fetchall()
    return frozenset((*codes, *((field, value) for _, field, value in hashes)))


def _blank(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str]]) -> None:
    """Overwrite rows of number, field, value where they stand, by as many bytes."""
    blanks = (
        ("0" * len(field.encode()), "0" * len(value.encode()), number)
        for number, field, value in rows
    )
    connection.executemany(_BLANK, blanks)


_HASHES_OF_MODEL = """
SELECT number, field, value FROM read_hashes
WHERE released = 0 AND read_row IN (SELECT number FROM read_rows WHERE model = ?)
"""

_ANOTHERS = """
SELECT 1 FROM read_hashes JOIN read_rows ON read_rows.number = read_hashes.read_row
WHERE read_hashes.released = 0 AND read_rows.model <> ? LIMIT 1
"""

_EMPTY = "DELETE FROM read_hashes"

_DROP_CODES = "DELETE FROM read_terms WHERE model = ?"


def drop_terms(connection: sqlite3.Connection, model: str) -> int:
    """
    Take the terms from all rows of a model.

    Returns:
        How many hashes were lost; blank ones may be counted.
    """
    connection.execute(_DROP_CODES, (model,))
    if connection.execute(_ANOTHERS, (model,)).fetchone() is None:
        # Nothing moves when all rows go at once.
        return connection.execute(_EMPTY).rowcount
    lost = connection.execute(_HASHES_OF_MODEL, (model,)).fetchall()
    _blank(connection, lost)
    return len(lost)
