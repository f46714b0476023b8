"""
Those who are about to come are waited for.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.services import gathering
from clientela.services.gathering import ENOUGH, QUIET, Gathering


@pytest.fixture(autouse=True)
def _slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns of the loop decide here, not seconds."""
    monkeypatch.setattr(gathering, "SECONDS_MAX", 60.0)


class Door:
    """Where people come in, one every so many turns of the event loop."""

    def __init__(self) -> None:
        self.here = 0
        self.gathering = Gathering(lambda: self.here)

    async def come(self, count: int, turns: int) -> None:
        """Come in."""
        for _ in range(count):
            for _ in range(turns):
                await asyncio.sleep(0)
            self.here += 1

    async def waited_for(self, count: int, turns: int) -> int:
        """How many are here when one who was first has waited."""
        self.here = 1
        coming = asyncio.create_task(self.come(count, turns))
        await self.gathering.wait()
        here = self.here
        await coming
        return here


async def test_who_was_alone_lately_waits_for_nobody():
    """Speed: a command alone pays nothing for the company of others."""
    door = Door()
    door.gathering.went(1)

    assert 1 == await door.waited_for(5, 1)


async def test_who_had_company_waits_while_some_keeps_coming():
    """Speed: all who come without a longer pause go together."""
    door = Door()
    door.gathering.went(10)

    assert 6 == await door.waited_for(5, QUIET // 2)


async def test_nobody_waits_for_those_who_are_not_about_to_come():
    """Speed: an event loop that has nothing to do decides at once."""
    door = Door()
    door.gathering.went(10)

    assert 1 == await door.waited_for(5, 2 * QUIET)


async def test_enough_wait_for_no_more():
    """S11: how many wait has a bound."""
    door = Door()
    door.gathering.went(ENOUGH)

    assert ENOUGH == await door.waited_for(2 * ENOUGH, 1)


async def test_waiting_ends_in_time_whoever_comes(monkeypatch: pytest.MonkeyPatch):
    """S11: and so has how long they do."""
    monkeypatch.setattr(gathering, "SECONDS_MAX", 0.0)
    door = Door()
    door.gathering.went(10)

    assert 1 == await door.waited_for(5, 1)


async def test_company_of_long_ago_is_forgotten():
    """Speed: after some times alone nobody is waited for any more."""
    door = Door()
    door.gathering.went(10)
    for _ in range(20):
        door.gathering.went(1)

    assert 1 == await door.waited_for(5, 1)
