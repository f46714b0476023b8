"""
Leases in the file of the journal store, written by its writer.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.values import instant, moment
from clientela.services.leases import LEASES_MAX, Granted, Lease


def _system_now() -> datetime:
    return datetime.now(UTC)


class SqliteLeases:
    """
    Grants leases from the database of *store*, as long as that is open.

    Args:
        store: Whose writer does the work.

        now: Tells the time; leases run out by it.
    """

    def __init__(self, store: SqliteStore, now: Callable[[], datetime] = _system_now) -> None:
        self._store = store
        self._now = now

    async def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        """Take or renew a lease."""
        now = self._now()
        row = (name, holder, instant(now + ttl), instant(now))
        epochs: list[int] = []

        def take(connection: sqlite3.Connection) -> bool:
            epochs.extend(epoch for (epoch,) in connection.execute(_ACQUIRE, row))
            return False

        await self._store.scrub(take)
        return Lease(name, holder, epochs[0]) if epochs else None

    async def release(self, lease: Lease) -> None:
        """Give a lease back."""
        row = (instant(self._now()), lease.name, lease.holder, lease.epoch)

        def give_back(connection: sqlite3.Connection) -> bool:
            connection.execute(_RELEASE, row)
            return False

        await self._store.scrub(give_back)


_ACQUIRE = """
INSERT INTO leases (name, holder, epoch, until) VALUES (?, ?, 1, ?)
ON CONFLICT (name) DO UPDATE SET
    epoch = leases.epoch + (leases.holder <> excluded.holder),
    holder = excluded.holder,
    until = excluded.until
WHERE leases.holder = excluded.holder OR leases.until <= ?
RETURNING epoch
"""

_RELEASE = "UPDATE leases SET until = ? WHERE name = ? AND holder = ? AND epoch = ?"

_GRANTED = "SELECT name, holder, epoch, until FROM leases ORDER BY name LIMIT ?"


def granted(connection: sqlite3.Connection) -> list[Granted]:
    """Every lease that was ever granted, by its name."""
    rows = connection.execute(_GRANTED, (LEASES_MAX,))
    return [Granted(Lease(name, holder, epoch), moment(at)) for name, holder, epoch, at in rows]
