"""
Leases in the database of the journal store: rows, so that they outlive the connection that took
them by no more than their time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from clientela.adapters.postgres.connections import Connection
from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.sqlite.values import instant, moment
from clientela.services.leases import LEASES_MAX, Granted, Lease


def _system_now() -> datetime:
    return datetime.now(UTC)


class PostgresLeases:
    """
    Grants leases from the database of *store*, as long as that is open.

    Args:
        store: Whose connections do the work.

        now: Tells the time; leases run out by it, so clocks of processes must agree to within
            what a lease has to spare.
    """

    def __init__(self, store: PostgresStore, now: Callable[[], datetime] = _system_now) -> None:
        self._store = store
        self._now = now

    async def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        """Take or renew a lease."""
        now = self._now()
        row = (name, holder, instant(now + ttl), instant(now))
        epoch = await self._store.put(lambda c: c.fetchval(_ACQUIRE, *row))
        return None if epoch is None else Lease(name, holder, epoch)

    async def release(self, lease: Lease) -> None:
        """Give a lease back."""
        row = (instant(self._now()), lease.name, lease.holder, lease.epoch)
        await self._store.put(lambda c: c.execute(_RELEASE, *row))


_ACQUIRE = """
INSERT INTO leases (name, holder, epoch, until) VALUES ($1, $2, 1, $3)
ON CONFLICT (name) DO UPDATE SET
    epoch = leases.epoch + (leases.holder <> excluded.holder)::int,
    holder = excluded.holder,
    until = excluded.until
WHERE leases.holder = excluded.holder OR leases.until <= $4
RETURNING epoch
"""

_RELEASE = "UPDATE leases SET until = $1 WHERE name = $2 AND holder = $3 AND epoch = $4"

_GRANTED = "SELECT name, holder, epoch, until FROM leases ORDER BY name LIMIT $1"


async def granted(connection: Connection) -> list[Granted]:
    """Every lease that was ever granted, by its name."""
    return [
        Granted(Lease(row["name"], row["holder"], row["epoch"]), moment(row["until"]))
        for row in await connection.fetch(_GRANTED, LEASES_MAX)
    ]
