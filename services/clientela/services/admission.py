"""
Admission: so many calls of a class at once, so many waiting, the rest refused at once.
"""

from __future__ import annotations

import asyncio

from collections.abc import Mapping
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
        self._admitted = {call_class: Admitted(rooms[call_class]) for call_class in CallClass}

    def admitted(self, call_class: CallClass) -> Admitted:
        """
        Room for one call, for as long as a block within it runs.

        Raises:
            OverloadedError: on entering; there is none, and waiting did not help.
        """
        return self._admitted[call_class]


class Admitted:
    """
    The calls of one class that were let in: a block for each of them.

    Args:
        room: How many there may be.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._running = asyncio.Semaphore(room.running_max)
        self._waiting = 0

    async def __aenter__(self) -> None:
        if not self._running.locked():
            await self._running.acquire()
            return
        if self._waiting >= self._room.waiting_max:
            raise OverloadedError(RETRY_AFTER)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._room.wait_seconds_max):
                await self._running.acquire()
        except TimeoutError:
            raise OverloadedError(RETRY_AFTER) from None
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_raised: object) -> None:
        self._running.release()
