"""
Leases in a dict: for trials and tests, gone with the process.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from datetime import timedelta

from clientela.services.leases import Lease


class MemoryLeases:
    """
    Grants leases within one process.

    Args:
        monotonic: Tells seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._granted: dict[str, tuple[Lease, float]] = {}

    async def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        """Take or renew a lease."""
        now = self._monotonic()
        held, until = self._granted.get(name, (Lease(name, "", 0), now))
        if held.holder != holder:
            if now < until:
                return None
            held = Lease(name, holder, held.epoch + 1)
        self._granted[name] = (held, now + ttl.total_seconds())
        return held

    async def release(self, lease: Lease) -> None:
        """Give a lease back."""
        if self._granted.get(lease.name, (None, 0.0))[0] == lease:
            self._granted[lease.name] = (lease, self._monotonic())
