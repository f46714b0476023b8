"""
Reserved keys: added at the end, overwritten where they stand, never moved; see the schema.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Mapping

from clientela.adapters.sqlite.many import change
from clientela.adapters.sqlite.values import Row, bucket_of, name_of
from clientela.domain.event import Key
from clientela.domain.ids import JournalId
from clientela.domain.record import Holder


_RESERVE = """
INSERT INTO keys (bucket, scope, value, kind, id, version, fingerprint)
SELECT * FROM (
    WITH new (bucket, scope, value, kind, id, version, fingerprint) AS (VALUES {rows})
    SELECT * FROM new
) AS new
WHERE NOT EXISTS (
    SELECT 1 FROM keys
    WHERE keys.bucket = new.bucket AND keys.released = 0
        AND keys.value = new.value AND keys.scope = new.scope
)
"""


def reserve(connection: sqlite3.Connection, holders: Mapping[Key, Holder]) -> int:
    """Let them have those keys that nobody holds; how many these are."""
    return change(connection, _RESERVE, [_row(key, held) for key, held in holders.items()])


def _row(key: Key, holder: Holder) -> Row:
    place = (*name_of(holder.ref.journal), holder.ref.version, holder.fingerprint)
    return (bucket_of(key), key.scope, key.value, *place)


_RELEASE = """
UPDATE keys SET
    released = 1,
    bucket = 0,
    value = printf('%.*c', length(value), '0'),
    fingerprint = printf('%.*c', length(fingerprint), '0')
WHERE bucket = ? AND released = 0 AND value = ? AND scope = ?
"""


def release(connection: sqlite3.Connection, key: Key) -> None:
    """Give a key back, if it is held, and overwrite it."""
    connection.execute(_RELEASE, (bucket_of(key), key.value, key.scope))


_RELEASE_ALL = """
UPDATE keys SET
    released = 1,
    bucket = 0,
    value = printf('%.*c', length(value), '0'),
    fingerprint = printf('%.*c', length(fingerprint), '0')
WHERE released = 0 AND kind = ? AND id = ? AND scope = ?
"""


def release_all(connection: sqlite3.Connection, journal_id: JournalId, scope: str) -> None:
    """Give back all keys of a scope that a journal holds."""
    connection.execute(_RELEASE_ALL, (*name_of(journal_id), scope))


_BLANK = """
UPDATE keys SET fingerprint = printf('%.*c', length(fingerprint), '0')
WHERE released = 0 AND kind = ? AND id = ?
"""


def blank_fingerprints(connection: sqlite3.Connection, journal_id: JournalId) -> None:
    """Overwrite the fingerprints of the keys that a journal still holds."""
    connection.execute(_BLANK, name_of(journal_id))
