"""
Another key-encryption key, under which every person's key is wrapped anew.

The data keys stay, so no sealed value is touched. When the last row is wrapped anew the old
key-encryption key is destroyed, and with it every copy of a key in old backups and write-ahead
logs: what was erased since cannot come back from there.

    new key in the key file -> store takes new rows under it only -> rows in batches -> old key gone

Every step may be repeated. A rotation that was interrupted goes on where it stopped when it is
called again, and it begins no third key before the second is in place everywhere. One rotation at
a time: a second one that had slept could have the store take rows under a key about to be
destroyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from clientela.adapters.keys.failures import RotationStuckError
from clientela.adapters.keys.keyfile import SecretStore
from clientela.adapters.keys.keyring import Keyring
from clientela.services.key_rows import KeyRow


REWRAP_BATCH_MAX = 500
"""Rows wrapped anew in one transaction."""

REWRAP_BATCHES_MAX = 1_000_000
"""Batches of one rotation; more means that the store does not replace rows."""


class KeyRows(Protocol):
    """The part of a journal store that keeps the rows."""

    async def fence_keys(self, kek_id: str) -> None:
        """From now on take new rows under *kek_id* only."""
        ...

    async def stale_keys(self, kek_id: str, limit: int = ...) -> Sequence[KeyRow]:
        """Up to *limit* rows under another key than *kek_id*, erased ones left out."""
        ...

    async def rewrap_keys(self, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
        """Put the second row of each pair where the first still stands unchanged."""
        ...


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


async def rotate(
    secrets: SecretStore, rows: KeyRows, now: datetime, batch_max: int = REWRAP_BATCH_MAX
) -> Rotation:
    """
    Give the company another key-encryption key, or finish doing so.

    Args:
        secrets: Where the keyring is kept.

        rows: The store of the rows.

        now: Written into the key file; aware, UTC.

        batch_max: Rows of one transaction.

    Raises:
        KeysError: another rotation is running, or the keyring or a row cannot be used; the old key
            is still there.
    """
    with secrets.rotating():
        before = secrets.load()
        ring = before.begun(now)
        if ring is not before:
            secrets.replace(before, ring)
        await rows.fence_keys(ring.current.id)
        count = await _rewrap_all(ring, rows, batch_max)
        secrets.replace(ring, ring.finished())
        return Rotation(ring.current.id, count, resumed=ring is before)


async def _rewrap_all(ring: Keyring, rows: KeyRows, batch_max: int) -> int:
    count = 0
    for _ in range(REWRAP_BATCHES_MAX):
        batch = await rows.stale_keys(ring.current.id, batch_max)
        if not batch:
            return count
        count += await rows.rewrap_keys(rewrapped(ring, batch))
    raise RotationStuckError
