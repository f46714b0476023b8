"""
Keys of persons: made once, wrapped anew, overwritten where they stand.
"""

from __future__ import annotations

import json
import sqlite3

from collections.abc import Iterable

from clientela.adapters.sqlite.many import change
from clientela.adapters.sqlite.values import kek_text, name_of
from clientela.domain.ids import JournalId
from clientela.services.key_rows import KeyRow


_FENCE = "SELECT kek_id FROM key_fence"

_MAKE_KEYS = """
INSERT INTO key_rows (kind, id, kek_id, wrapped, erased) VALUES {rows}
ON CONFLICT (kind, id) DO NOTHING
"""


def fence(connection: sqlite3.Connection) -> str | None:
    """The key-encryption key that new rows must be wrapped under; None for any."""
    row = connection.execute(_FENCE).fetchone()
    return row[0] if row else None


def make_keys(connection: sqlite3.Connection, rows: Iterable[KeyRow]) -> int:
    """Insert the keys of persons who have no row yet; how many these are."""
    values = [(*name_of(row.person), kek_text(row.kek_id), row.wrapped, 0) for row in rows]
    return change(connection, _MAKE_KEYS, values)


_FORGET = """
INSERT INTO key_rows (kind, id, erased, kek_id, wrapped) VALUES (?, ?, 1, '', x'')
ON CONFLICT (kind, id) DO UPDATE SET erased = 1, wrapped = zeroblob(length(wrapped))
"""

_DROP_SNAPSHOT = "DELETE FROM snapshots WHERE kind = ? AND id = ?"

_DROP_PARKED = "DELETE FROM parked WHERE lane = ?"

_ERASURE = "INSERT INTO erasures (kind, id, scopes) VALUES (?, ?, ?)"


def forget(connection: sqlite3.Connection, person: JournalId, scopes: Iterable[str]) -> None:
    """Overwrite a person's key, drop snapshot and parked messages, note the erasure."""
    name = name_of(person)
    connection.execute(_FORGET, name)
    connection.execute(_DROP_SNAPSHOT, name)
    connection.execute(_DROP_PARKED, (str(person),))
    connection.execute(_ERASURE, (*name, json.dumps(sorted(scopes))))


_SET_FENCE = """
INSERT INTO key_fence (one, kek_id) VALUES (1, ?)
ON CONFLICT (one) DO UPDATE SET kek_id = excluded.kek_id
"""


def fence_keys(connection: sqlite3.Connection, kek_id: str) -> None:
    """Take new key rows under one key only."""
    connection.execute(_SET_FENCE, (kek_id,))


_REWRAP = """
UPDATE key_rows SET kek_id = ?, wrapped = ?
WHERE kind = ? AND id = ? AND erased = 0 AND kek_id = ? AND wrapped = ?
"""


def rewrap_keys(connection: sqlite3.Connection, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
    """Replace the rows that are still the same."""
    return sum(
        connection.execute(
            _REWRAP,
            (
                kek_text(new.kek_id),
                new.wrapped,
                *name_of(old.person),
                kek_text(old.kek_id),
                old.wrapped,
            ),
        ).rowcount
        for old, new in pairs
    )
