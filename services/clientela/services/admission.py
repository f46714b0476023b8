"""
Admission: so many calls of a class at once, so many waiting, the rest refused at once.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from types import MappingProxyType

import attrs

from clientela.services.access import CallClass
from clientela.services.refusals import OverloadedError


RETRY_AFTER = timedelta(milliseconds=250)
"""When a refused caller should try again."""


@attrs.frozen
class Room:
    """
    How many calls of one class there may be.

    Attributes:
        running_max: At once.

        waiting_max: Waiting for one of them to end.

        wait_seconds_max: How long one waits.
    """

    running_max: int
    waiting_max: int
    wait_seconds_max: float = 1.0


ROOMS: Mapping[CallClass, Room] = MappingProxyType(
    {
        CallClass.COMMAND: Room(running_max=96, waiting_max=256),
        CallClass.READ: Room(running_max=128, waiting_max=256),
        CallClass.STREAM: Room(running_max=32, waiting_max=0),
    }
)
"""Room for every class; each has its own, so that exports do not hold up a till."""


class Admission:
    """
    Lets calls in.

    Args:
        rooms: For every class.
    """

    def __init__(self, rooms: Mapping[CallClass, Room] = ROOMS) -> None:
        self._rooms = {call_class: rooms[call_class] for call_class in CallClass}
        self._running = {c: asyncio.Semaphore(r.running_max) for c, r in self._rooms.items()}
        self._waiting = dict.fromkeys(self._rooms, 0)

    @asynccontextmanager
    async def admitted(self, call_class: CallClass) -> AsyncGenerator[None]:
        """
        Room for one call, for as long as the block runs.

        Raises:
            OverloadedError: there is none, and waiting did not help.
        """
        await self._enter(call_class)
        try:
            yield
        finally:
            self._running[call_class].release()

    async def _enter(self, call_class: CallClass) -> None:
        room, running = self._rooms[call_class], self._running[call_class]
        if not running.locked():
            await running.acquire()
            return
        if self._waiting[call_class] >= room.waiting_max:
            raise OverloadedError(RETRY_AFTER)
        self._waiting[call_class] += 1
        try:
            async with asyncio.timeout(room.wait_seconds_max):
                await running.acquire()
        except TimeoutError:
            raise OverloadedError(RETRY_AFTER) from None
        finally:
            self._waiting[call_class] -= 1
