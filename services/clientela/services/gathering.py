"""
Gathering: those who are about to come are waited for, so that they go together.

Under load the event loop has calls to carry out that will want the same: done once for all of them
it costs less of the loop than once for each few. Where it has nothing to do nobody waits.
"""

from __future__ import annotations

import asyncio

from collections.abc import Callable


COMPANY_MIN = 1.3
"""How many went together, in the mean of the last few times, from which on waiting pays."""

NEWEST = 0.3
"""Share of the last time in that mean."""

QUIET = 8
"""Turns of the event loop in a row in which nobody came, after which nobody is about to."""

ENOUGH = 32
"""How many wait for no more: what going costs besides is little for each."""

SECONDS_MAX = 0.02
"""How long more are waited for at most, as long as some keep coming."""


class Gathering:
    """
    Those who go together.

    Args:
        count: Tells how many are here.

        linger_s: Seconds that are waited in any case when fewer are here than went lately.
    """

    def __init__(self, count: Callable[[], int], linger_s: float = 0.0) -> None:
        self._count = count
        self._linger_s = linger_s
        self._company = 1.0

    async def wait(self) -> None:
        """Wait for more, if some went together lately."""
        if self._company <= COMPANY_MIN:
            return
        if self._linger_s and self._count() < self._company:
            await asyncio.sleep(self._linger_s)
        loop = asyncio.get_running_loop()
        end, quiet, count = loop.time() + SECONDS_MAX, 0, self._count()
        while quiet < QUIET and count < ENOUGH and loop.time() < end:
            await asyncio.sleep(0)
            before, count = count, self._count()
            quiet = quiet + 1 if count == before else 0

    def went(self, count: int) -> None:
        """So many went together."""
        self._company += NEWEST * (count - self._company)
