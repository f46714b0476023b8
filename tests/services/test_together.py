"""
What several callers want at the same time, done in one go.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.services.together import Together


class Counter:
    """Adds up what comes in a round; a round lasts until it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.may_end = asyncio.Event()
        self.fails = False

    async def add(self, items: list[int]) -> int:
        """The sum of a round."""
        self.rounds.append(items)
        await self.may_end.wait()
        if self.fails:
            raise LookupError
        return sum(items)


async def _settled(tasks: list[asyncio.Task[int]]) -> None:
    """Let everybody come as far as they can."""
    for _ in range(10 * (len(tasks) + 1)):
        await asyncio.sleep(0)


async def test_those_who_come_during_a_round_share_the_next():
    """
    One round for whoever was first, one for all the others, and each is told its own round.
    """
    counter = Counter()
    together = Together(counter.add)
    first = asyncio.create_task(together.join([1]))
    await _settled([first])
    others = [asyncio.create_task(together.join([item, item])) for item in (2, 3)]
    await _settled(others)
    assert [[1]] == counter.rounds

    counter.may_end.set()

    assert [1, 10, 10] == await asyncio.gather(first, *others)
    assert [[1], [2, 2, 3, 3]] == counter.rounds


async def test_round_that_fails_is_told_to_all_who_took_part_and_to_no_other():
    """
    The next round goes on as if nothing had been.
    """
    counter = Counter()
    counter.fails = True
    together = Together(counter.add)
    failing = [asyncio.create_task(together.join([item])) for item in (1, 2)]
    await _settled(failing)
    counter.may_end.set()
    found = await asyncio.gather(*failing, return_exceptions=True)
    counter.fails = False

    assert [LookupError, LookupError] == [type(error) for error in found]
    assert 3 == await together.join([3])


async def test_round_waits_for_those_who_are_about_to_join():
    """
    Speed: who had company lately waits for those whom the event loop still carries out; who had
    none waits for nobody.
    """
    counter = Counter()
    counter.may_end.set()
    together = Together(counter.add)

    async def late(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return await together.join([turns])

    async def in_turn() -> list[list[int]]:
        counter.rounds.clear()
        await asyncio.gather(*map(late, range(0, 20, 2)))
        return list(counter.rounds)

    alone = await in_turn()
    await asyncio.gather(*(together.join([1]) for _ in range(10)))

    assert 1 < len(alone)
    assert [[*range(0, 20, 2)]] == await in_turn()


async def test_caller_that_goes_away_stops_nobody():
    """
    A round is everybody's: it ends for the others, and nobody hears of one that all have left.
    """
    counter = Counter()
    together = Together(counter.add)
    gone, staying = (asyncio.create_task(together.join([item])) for item in (1, 2))
    await _settled([gone, staying])
    gone.cancel()
    await _settled([gone])
    counter.may_end.set()

    assert 3 == await staying
    with pytest.raises(asyncio.CancelledError):
        await gone
