"""
Several processes of one company over one PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os

from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest

from tests.adapters import postgres_server
from tests.system.processes import Branch, branches, wired
from tests.system.rivals import ALL_IS_SPENT, ONE_WINS, WON, Spent, claimed, prepare, spent
from tests.system.survivors import IN_VAIN_SECONDS, amiss, killed
from tests.system.wire import Wire


ROUNDS = int(os.environ.get("CLIENTELA_CLAIM_ROUNDS", "20"))
BRANCHES = 4
HALTED = 3
"""Processes of which two stand still."""

TRIES_MAX = 20

TOLD_MIN = int(os.environ.get("CLIENTELA_KILLS_APART", "40"))


async def opened(company: Sequence[Branch]) -> None:
    """Give the company what rivals need."""
    async with wired(company) as wires:
        await prepare(wires[0])


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Branch, ...]]:
    """Four processes."""
    name = asyncio.run(postgres_server.create())
    url = postgres_server.shared().get_uri(name)
    with branches(tmp_path_factory.mktemp("company"), url, BRANCHES) as begun:
        asyncio.run(opened(begun))
        yield begun
    asyncio.run(postgres_server.drop(name))


async def test_one_claim_of_each_round_wins(company):
    """
    G7: of 32 who claim a client at once over four processes one wins, all others learn the same.
    """
    async with wired(company) as wires:
        rounds = await claimed(wires, ROUNDS)
        assert [] == list((await wires[-1].call("Verify")).problems)

    assert [ONE_WINS] * ROUNDS == rounds


async def test_wallet_is_never_overdrawn(company):
    """
    G11: of 64 who spend from one wallet at once over four processes so many may as there are
    points for; all others learn that, and no conflict or deadlock comes to anybody.
    """
    async with wired(company) as wires:
        found = await spent(wires, "shared")
        assert [] == list((await wires[-1].call("Verify")).problems)

    assert Spent(ALL_IS_SPENT, frozenset({0})) == found


async def test_the_check_sees_claims_that_are_not_checked(tmp_path):
    """
    G7, G11: over a store that lands what others have overtaken there are two winners sooner or
    later, and more is spent than there is.
    """
    program = ("tests.system.careless", "claims")
    async with postgres_server.database() as url:
        with branches(tmp_path, url, 2, program) as begun:
            async with wired(begun) as wires:
                await prepare(wires[0])
                won_twice = await _seen(
                    lambda name: _winners(wires, name), lambda winners: winners > 1
                )
                overdrawn = await _seen(
                    lambda name: _spenders(wires, name), lambda won: won > ALL_IS_SPENT[WON]
                )

    assert won_twice
    assert overdrawn


async def _winners(wires: Sequence[Wire], name: str) -> int:
    """The most winners of a few rounds of claims."""
    return max(came_to[WON] for came_to in await claimed(wires, 5, name))


async def _spenders(wires: Sequence[Wire], name: str) -> int:
    """How many spend from a new wallet."""
    return (await spent(wires, name)).outcomes[WON]


async def _seen(count: Callable[[str], Awaitable[int]], wanted: Callable[[int], bool]) -> bool:
    """Whether what is wanted is counted in one of some tries: a race is lost by chance only."""
    for number in range(TRIES_MAX):
        if wanted(await count(f"try-{number}")):
            return True
    return False


async def test_killed_process_is_replaced_by_the_others(tmp_path):
    """
    G1, G7: the process that keeps time is killed under load, and another one: the others go on,
    what falls due happens, nothing acknowledged is lost, and nothing happens twice.
    """
    async with postgres_server.database() as url:
        with branches(tmp_path, url, BRANCHES) as begun:
            told, happened = await killed(url, begun, TOLD_MIN)

        assert happened
        assert len(told) >= 3 * TOLD_MIN
        assert [] == await amiss(url, tmp_path / "branch-0", told)


async def test_process_that_stood_still_past_its_lease_does_no_harm(tmp_path):
    """
    F17: the process that keeps time is halted under load, and another one, until somebody else
    keeps time; then they go on: nothing is lost, and nothing happens twice.
    """
    async with postgres_server.database() as url:
        with branches(tmp_path, url, HALTED) as begun:
            told, happened = await killed(url, begun, TOLD_MIN, Branch.halt)

        assert happened
        assert [] == await amiss(url, tmp_path / "branch-0", told)


async def test_the_check_sees_a_lease_that_does_not_run_out(tmp_path):
    """
    F17: under a lease that outlives its holder nothing falls due any more.
    """
    async with postgres_server.database() as url:
        with branches(tmp_path, url, 3, ("tests.system.careless", "leases")) as begun:
            _, happened = await killed(url, begun, 20, patience=IN_VAIN_SECONDS)

    assert not happened
