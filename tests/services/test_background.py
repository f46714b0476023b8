"""
What goes on beside calls.
"""

from __future__ import annotations

import asyncio
import logging

import pytest

from clientela.services.background import BACKOFF_MAX_S, keep_going, stop


class Worn:
    """A step that comes to these, one after the other, and the pauses between."""

    def __init__(self, *came_to: int | Exception) -> None:
        self.left = list(came_to)
        self.slept: list[float] = []

    async def step(self) -> int:
        """The next."""
        if not self.left:
            raise asyncio.CancelledError
        came_to = self.left.pop(0)
        if isinstance(came_to, Exception):
            raise came_to
        return came_to

    async def sleep(self, seconds: float) -> None:
        """Note it."""
        self.slept.append(seconds)

    async def go(self) -> list[float]:
        """Go on until nothing is left."""
        with pytest.raises(asyncio.CancelledError):
            await keep_going("winding", self.step, 0.5, self.sleep)
        return self.slept


async def test_step_that_did_something_is_repeated_at_once():
    """
    Only after nothing was done there is a pause.
    """
    assert [0.5, 0.5] == await Worn(3, 1, 0, 2, 0).go()


async def test_step_that_fails_is_tried_again_later_and_later():
    """
    No error ends what the service relies on: pauses double up to a bound, and begin anew after the
    first success.
    """
    broken = [RuntimeError()] * 8

    assert [1, 2, 4, 8, 16, 32, 60, 60, 0.5, 1] == await Worn(*broken, 0, OSError()).go()
    assert 60 == BACKOFF_MAX_S


async def test_error_is_told_by_its_type(caplog):
    """
    The text of an error may hold what somebody typed, so it is left out.
    """
    with caplog.at_level(logging.ERROR):
        await Worn(RuntimeError("Petra")).go()

    assert ["winding failed and goes on: RuntimeError"] == caplog.messages


async def test_tasks_are_stopped_though_one_has_died(caplog):
    """
    What a task died of is told; the others are stopped all the same, and whoever stops goes on.
    """

    async def die() -> None:
        raise RuntimeError("Petra")

    tasks = [
        asyncio.create_task(die()),
        asyncio.create_task(keep_going("idling", Worn(0).step, 9.0)),
    ]
    await asyncio.sleep(0)

    await stop(tasks)

    assert [False, True] == [task.cancelled() for task in tasks]
    assert ["a background task had ended: RuntimeError"] == caplog.messages


async def test_task_that_swallows_a_cancellation_is_stopped_all_the_same():
    """
    A cancellation that is lost on the way is sent again.
    """
    swallowed = asyncio.Event()

    async def deaf() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await stop([task])

    assert swallowed.is_set()
    assert task.cancelled()
