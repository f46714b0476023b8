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

from clientela.services.gathering import Gathering


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
        self._gathering = Gathering(lambda: self._callers)
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
            await self._gathering.wait()
            self._gathering.went(self._callers)
            self._callers = 0
            items, self._waiting, self._next = self._waiting, [], None
            return await self._work(items)


def _told(ended: asyncio.Task[_Found]) -> None:
    """What went wrong is told to whoever waits; if all have gone away, to nobody."""
    if not ended.cancelled():
        ended.exception()
