"""
So many calls of a class at once, so many waiting, the rest refused.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.services.access import CallClass
from clientela.services.admission import ROOMS, Admission, Room
from clientela.services.refusals import OverloadedError


def admission(**room):
    """Admission with this room for reads."""
    return Admission({**ROOMS, CallClass.READ: Room(**room)})


class Crowd:
    """Calls that hold their room until they are let go."""

    def __init__(self, admission):
        self.admission = admission
        self.inside = 0
        self.leave = asyncio.Event()

    async def enter(self):
        async with self.admission.admitted(CallClass.READ):
            self.inside += 1
            await self.leave.wait()
            self.inside -= 1


async def settled():
    """Let everything that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_than_the_room_are_inside():
    """
    R18: of a hundred calls two run and ninety-eight are refused, and each gets its answer.
    """
    crowd = Crowd(admission(running_max=2, waiting_max=0))
    calls = [asyncio.create_task(crowd.enter()) for _ in range(100)]
    await settled()
    inside = crowd.inside
    crowd.leave.set()
    came = await asyncio.gather(*calls, return_exceptions=True)

    assert 2 == inside
    assert [98, 2] == [
        sum(isinstance(c, OverloadedError) for c in came),
        sum(c is None for c in came),
    ]


async def test_who_waits_comes_in_when_somebody_leaves():
    """
    R18: a short queue smooths a burst.
    """
    crowd = Crowd(admission(running_max=1, waiting_max=3))
    calls = [asyncio.create_task(crowd.enter()) for _ in range(4)]
    await settled()
    crowd.leave.set()

    assert [None] * 4 == await asyncio.gather(*calls)


async def test_nobody_waits_for_ever():
    """
    R18: waiting has an end of its own.
    """
    crowd = Crowd(admission(running_max=1, waiting_max=3, wait_seconds_max=0.01))
    first = asyncio.create_task(crowd.enter())
    await settled()

    with pytest.raises(OverloadedError):
        await crowd.enter()

    crowd.leave.set()
    await first


async def test_a_class_that_is_full_holds_up_no_other():
    """
    R18: exports do not starve a till.
    """
    crowd = Crowd(admission(running_max=1, waiting_max=0))
    first = asyncio.create_task(crowd.enter())
    await settled()

    async with crowd.admission.admitted(CallClass.COMMAND):
        crowd.leave.set()
    await first


async def test_a_call_that_fails_or_is_cancelled_gives_its_room_back():
    """
    R18: room is never lost, neither by a failure nor by a caller who goes away.
    """
    crowd = Crowd(admission(running_max=1, waiting_max=1))
    with pytest.raises(ZeroDivisionError):
        async with crowd.admission.admitted(CallClass.READ):
            raise ZeroDivisionError
    inside, waiting = (asyncio.create_task(crowd.enter()) for _ in range(2))
    await settled()
    waiting.cancel()
    inside.cancel()
    await asyncio.gather(inside, waiting, return_exceptions=True)

    async with crowd.admission.admitted(CallClass.READ):
        pass
