"""
Another key-encryption key, under which every person's key is wrapped anew.

The data keys stay, so no sealed value is touched. When the last row is wrapped anew the old
key-encryption key is destroyed, and with it every copy of a key in old backups and write-ahead
logs: what was erased since cannot come back from there.

    new key in the key file -> table takes new rows under it only -> rows in batches -> old key gone

Every step may be repeated. A rotation that was interrupted goes on where it stopped when it is
called again, and it begins no third key before the second is in place everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.adapters.keys.failures import RotationStuckError
from clientela.adapters.keys.keyfile import SecretStore
from clientela.adapters.keys.keyring import Keyring
from clientela.adapters.keys.rows import KeyRow, KeyTable


REWRAP_BATCH_MAX = 500
"""Rows wrapped anew in one transaction."""

REWRAP_BATCHES_MAX = 1_000_000
"""Batches of one rotation; more means that the table does not replace rows."""


@attrs.frozen
class Rotation:
    """
    What a rotation did.

    Attributes:
        kek_id: The key-encryption key now in force.

        rewrapped: Rows wrapped anew by this call.

        resumed: Whether it went on with one that had been interrupted.
    """

    kek_id: str
    rewrapped: int
    resumed: bool


def rewrapped(ring: Keyring, rows: Iterable[KeyRow]) -> tuple[tuple[KeyRow, KeyRow], ...]:
    """
    Each of *rows*, none of them erased, with the one to put in its place.

    Raises:
        KekUnknownError, KeyRowBrokenError: a row cannot be unwrapped; nothing is lost by it.
    """
    return tuple((row, ring.wrap(row.person, ring.unwrap(row))) for row in rows)


def rotate(
    secrets: SecretStore, table: KeyTable, now: datetime, batch_max: int = REWRAP_BATCH_MAX
) -> Rotation:
    """
    Give the company another key-encryption key, or finish doing so.

    Args:
        secrets: Where the keyring is kept.

        table: The rows.

        now: Written into the key file; aware, UTC.

        batch_max: Rows of one transaction.

    Raises:
        KeysError: the keyring or a row cannot be used; the old key is still there.
    """
    before = secrets.load()
    ring = before.begun(now)
    if ring is not before:
        secrets.replace(before, ring)
    assert ring.retiring is not None
    table.fence(ring.current.id, ring.retiring.id)
    count = _rewrap_all(ring, table, batch_max)
    secrets.replace(ring, ring.finished())
    return Rotation(ring.current.id, count, resumed=ring is before)


def _rewrap_all(ring: Keyring, table: KeyTable, batch_max: int) -> int:
    count = 0
    for _ in range(REWRAP_BATCHES_MAX):
        batch = table.stale(ring.current.id, batch_max)
        if not batch:
            return count
        count += table.rewrap(rewrapped(ring, batch))
    raise RotationStuckError
