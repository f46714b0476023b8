"""
Masks of fingerprints: an answer that concerns a journal can be read while the journal has its mask.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3

from collections.abc import Iterable

from clientela.adapters.sqlite.values import name_of
from clientela.domain.fingerprint import NOTHING, Fingerprint
from clientela.domain.ids import Blind, JournalId


MASK_LENGTH = 32

_GONE = bytes(MASK_LENGTH)

_MASK = "SELECT mask FROM masks WHERE kind = ? AND id = ?"

_MAKE = "INSERT INTO masks (kind, id, mask) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO NOTHING"

_DESTROY = """
INSERT INTO masks (kind, id, mask) VALUES (?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET mask = excluded.mask
"""


def masked(
    connection: sqlite3.Connection,
    request: Blind,
    fingerprint: Fingerprint,
    journals: Iterable[JournalId],
) -> str:
    """The fingerprint in the answer to *request*, hidden; empty if a journal is forgotten."""
    names = [name_of(journal_id) for journal_id in journals]
    connection.executemany(_MAKE, [(*name, secrets.token_bytes(MASK_LENGTH)) for name in names])
    masks = _masks(connection, names)
    return "" if _GONE in masks else _crossed(fingerprint.encode(), masks, request).hex()


def unmasked(
    connection: sqlite3.Connection, request: Blind, hidden: str, journals: Iterable[JournalId]
) -> Fingerprint:
    """The fingerprint again; empty if a journal is forgotten."""
    masks = _masks(connection, map(name_of, journals))
    if _GONE in masks:
        return NOTHING
    return Fingerprint(_crossed(bytes.fromhex(hidden), masks, request).decode())


def destroy_mask(connection: sqlite3.Connection, journal_id: JournalId) -> None:
    """Overwrite the mask of a journal where it stands, for ever."""
    connection.execute(_DESTROY, (*name_of(journal_id), _GONE))


def _masks(connection: sqlite3.Connection, names: Iterable[tuple[str, str]]) -> list[bytes]:
    """The masks of these journals, a destroyed one for those that have none."""
    rows = [connection.execute(_MASK, name).fetchone() for name in names]
    return [row[0] if row else _GONE for row in rows]


def _crossed(text: bytes, masks: Iterable[bytes], request: Blind) -> bytes:
    stream = hashlib.shake_256(b"".join((*masks, request.encode()))).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, stream, strict=True))
