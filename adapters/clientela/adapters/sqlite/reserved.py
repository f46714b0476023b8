"""
Reserved keys: added at the end, overwritten where they stand, never moved; see the schema.
"""

from __future__ import annotations

import sqlite3

from clientela.adapters.sqlite.values import bucket_of, name_of
from clientela.domain.event import Key
from clientela.domain.ids import JournalId
from clientela.domain.record import Holder


_RESERVE = """
INSERT INTO keys (bucket, scope, value, kind, id, version, fingerprint)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""


def reserve(connection: sqlite3.Connection, key: Key, holder: Holder) -> None:
    """Let *holder* have a key that nobody holds."""
    name = name_of(holder.ref.journal)
    row = (bucket_of(key), key.scope, key.value, *name, holder.ref.version, holder.fingerprint)
    connection.execute(_RESERVE, row)


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
