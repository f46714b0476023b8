"""
A duty: background work that one process of the company does at a time.

    lease -> the works go on, renewed meanwhile -> lease lost, or told to stop -> they end

A holder that was killed is followed by another as soon as its lease has run out; one that is told
to stop gives it back. A holder that was stopped past its term and wakes goes on until its next
renewal finds the lease gone. Nothing comes of that but work for nothing: what the works write are
ordinary appends, which claim the version they decided on, and commands whose request ids derive
from what asked for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from clientela.services.background import stop
from clientela.services.leases import Lease, Leases


LEASE_TTL = timedelta(seconds=10)
"""After this time without a sign of life another process takes over."""

RENEW_S = 3.0
"""Seconds after which the lease is renewed."""

POLL_S = 1.0
"""Seconds between two tries to get the lease of somebody else."""

Work = Callable[[], Coroutine[Any, Any, None]]
"""Goes on until it is cancelled; may be begun again."""

_LOG = logging.getLogger(__name__)


class Duty:
    """
    Does its works while it holds the lease.

    Args:
        leases: Grant the lease.

        name: Of the lease.

        holder: Names this process, differently from every other there ever was.

        works: What is done.

        monotonic: Tells seconds.

        sleep: Lets seconds pass.
    """

    def __init__(
        self,
        leases: Leases,
        name: str,
        holder: str,
        works: Sequence[Work],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._leases = leases
        self._name = name
        self._holder = holder
        self._works = works
        self._monotonic = monotonic
        self._sleep = sleep
        self._lease: Lease | None = None
        self._until_s = float("-inf")
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def is_held(self) -> bool:
        """Whether this process does it, as far as it knows."""
        return self._lease is not None

    async def run(self) -> None:
        """Keep going until cancelled, then give the lease back."""
        try:
            while True:
                await self.step()
                await self._sleep(RENEW_S if self.is_held else POLL_S)
        finally:
            leaving = asyncio.create_task(self._leave())
            while not leaving.done():
                # Whoever stops a process cancels again what takes a while.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.shield(leaving)

    async def step(self) -> None:
        """Take or renew the lease, and begin or end the works as it says."""
        asked_s = self._monotonic()
        try:
            lease = await self._leases.acquire(self._name, self._holder, LEASE_TTL)
        except Exception as error:  # noqa: BLE001  # nothing may end what the service relies on
            if asked_s < self._until_s:
                return
            _LOG.warning("the lease of %s cannot be had: %s", self._name, type(error).__name__)
            lease = None
        if lease is not None:
            self._until_s = asked_s + LEASE_TTL.total_seconds()
        if lease == self._lease:
            return
        await self._end()
        self._lease = lease
        if lease is not None:
            self._tasks = tuple(asyncio.create_task(work()) for work in self._works)

    async def _end(self) -> None:
        tasks, self._tasks, self._lease = self._tasks, (), None
        await stop(tasks)

    async def _leave(self) -> None:
        lease = self._lease
        await self._end()
        if lease is not None:
            try:
                await self._leases.release(lease)
            except Exception:  # noqa: BLE001  # as in step
                _LOG.warning("the lease of %s runs out by itself", self._name)
