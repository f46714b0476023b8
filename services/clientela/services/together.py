"""
Together: what several callers want at the same time, asked or written in one go.

    one --> | under way | one, two, three --> | next: two, three and whoever else came meanwhile |

Nobody's request is part of a round that had begun before it was made, so that what it finds holds
for the moment it was made, or a later one.
"""

from __future__ import annotations

import asyncio

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar


COMPANY_MIN = 1.3
"""Callers of a round, in the mean of the last few, from which on waiting for company pays."""

NEWEST = 0.3
"""Share of the last round in that mean."""

QUIET = 8
"""Turns of the event loop in a row in which nobody joined, after which nobody is about to."""

TURNS_MAX = 32
"""Turns of the event loop that a round waits for more company at most."""

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


class Together(Generic[_Item, _Found]):
    """
    Does for many what it can do for one: rounds, one after the other.

    Args:
        work: Carries out a round for the items of all who wait, at least one.
    """

    def __init__(self, work: Callable[[list[_Item]], Awaitable[_Found]]) -> None:
        self._work = work
        self._waiting: list[_Item] = []
        self._callers = 0
        self._company = 1.0
        self._next: asyncio.Task[_Found] | None = None
        self._turn = asyncio.Lock()

    async def join(self, items: Iterable[_Item]) -> _Found:
        """
        Take part in the next round, which goes on if the caller goes away.

        Returns:
            What the round came to.

        Raises:
            Exception: what the round failed by, to all who took part.
        """
        self._waiting.extend(items)
        self._callers += 1
        if self._next is None:
            self._next = asyncio.create_task(self._round())
            self._next.add_done_callback(_told)
        return await asyncio.shield(self._next)

    async def _round(self) -> _Found:
        async with self._turn:
            if self._company > COMPANY_MIN:
                await self._gather()
            self._company += NEWEST * (self._callers - self._company)
            self._callers = 0
            items, self._waiting, self._next = self._waiting, [], None
            return await self._work(items)

    async def _gather(self) -> None:
        """
        Wait for those who are about to join, as long as some do.

        Under load the event loop has calls to carry out that will: a round for all of them costs
        less of it than one for each few. Where it has nothing to do nobody waits.
        """
        quiet = 0
        for _ in range(TURNS_MAX):
            before = self._callers
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._callers == before else 0
            if quiet == QUIET:
                return


def _told(ended: asyncio.Task[_Found]) -> None:
    """What went wrong is told to whoever waits; if all have gone away, to nobody."""
    if not ended.cancelled():
        ended.exception()
