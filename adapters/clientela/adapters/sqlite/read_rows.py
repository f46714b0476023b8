"""
Rows of read models as SQL over one connection.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Mapping

from clientela.adapters.sqlite.terms import drop_terms, is_hashed, put_codes, put_hashes, terms_of
from clientela.services.read_models import Row, Term
from clientela.services.store_errors import ModelMovedError


_POSITION = "SELECT position FROM read_models WHERE model = ?"


def position(connection: sqlite3.Connection, model: str) -> int:
    """Position up to which a model has taken in the journal; 0 for a new one."""
    row = connection.execute(_POSITION, (model,)).fetchone()
    return int(row[0]) if row else 0


_ROW = "SELECT key, body FROM read_rows WHERE model = ? AND key = ?"


def rows(connection: sqlite3.Connection, model: str, keys: tuple[str, ...]) -> dict[str, bytes]:
    """Bodies of those rows that exist."""
    found = (connection.execute(_ROW, (model, key)).fetchone() for key in keys)
    return dict(row for row in found if row is not None)


_NUMBER = "SELECT number FROM read_rows WHERE model = ? AND key = ?"


def terms(
    connection: sqlite3.Connection, model: str, keys: tuple[str, ...]
) -> dict[str, frozenset[Term]]:
    """All that those rows that exist are found by."""
    numbers = {key: connection.execute(_NUMBER, (model, key)).fetchone() for key in keys}
    return {
        key: terms_of(connection, model, key, row[0])
        for key, row in numbers.items()
        if row is not None
    }


_PUT_ROW = """
INSERT INTO read_rows (model, key, body) VALUES (?, ?, ?)
ON CONFLICT (model, key) DO UPDATE SET body = excluded.body
RETURNING number
"""

_PUT_POSITION = """
INSERT INTO read_models (model, position) VALUES (?, ?)
ON CONFLICT (model) DO UPDATE SET position = excluded.position
"""


def write(
    connection: sqlite3.Connection, model: str, seen: int, to: int, new: Mapping[str, Row]
) -> bool:
    """
    Put rows in and move the model on.

    Args:
        connection: That writes, in a transaction.

        model: Which.

        seen: Position up to which the rows were made from what is kept.

        to: Position up to which they are true.

        new: The rows by key.

    Returns:
        Whether a row lost a hash.

    Raises:
        ModelMovedError: it has moved on since *seen*.
    """
    if position(connection, model) != seen:
        raise ModelMovedError(model)
    lost = 0
    for key, row in new.items():
        ((number,),) = connection.execute(_PUT_ROW, (model, key, row.body)).fetchall()
        put_codes(connection, model, key, (term for term in row.terms if not is_hashed(term)))
        lost += put_hashes(connection, number, filter(is_hashed, row.terms))
    connection.execute(_PUT_POSITION, (model, to))
    return lost > 0


_DROP_ROWS = "DELETE FROM read_rows WHERE model = ?"

_DROP_POSITION = "DELETE FROM read_models WHERE model = ?"


def drop(connection: sqlite3.Connection, model: str) -> bool:
    """
    Throw a model away.

    Returns:
        Whether a row lost a hash.
    """
    lost = drop_terms(connection, model)
    connection.execute(_DROP_ROWS, (model,))
    connection.execute(_DROP_POSITION, (model,))
    return lost > 0


_MODELS = "SELECT model FROM read_models"


def drop_all(connection: sqlite3.Connection) -> None:
    """Throw every model away."""
    for (model,) in connection.execute(_MODELS).fetchall():
        drop(connection, model)
