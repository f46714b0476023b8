"""
A thousand rounds of claims, a wallet again and again, and kills, over four processes.
"""

from __future__ import annotations

import time

import pytest

from tests.adapters import postgres_server
from tests.system.processes import branches, wired
from tests.system.rivals import ALL_IS_SPENT, ONE_WINS, Spent, claimed, prepare, spent
from tests.system.survivors import amiss, killed


BRANCHES = 4
ROUNDS = 1_000
WALLETS = 10
TOLD_MIN = 500

SECONDS_MAX = 900
"""A minute and a half where nothing else runs; then something hangs."""


@pytest.mark.timeout(SECONDS_MAX)
async def test_a_thousand_clients_have_one_owner_each(tmp_path, record_property):
    """
    G7, G11: of 32 claimants one wins in each of 1,000 rounds over four processes, 0 others; 64
    spenders never overdraw a wallet; no conflict or deadlock comes to anybody.
    """
    async with postgres_server.database() as url:
        with branches(tmp_path, url, BRANCHES) as begun:
            async with wired(begun) as wires:
                await prepare(wires[0])
                began = time.monotonic()
                rounds = await claimed(wires, ROUNDS)
                record_property("seconds of claims", time.monotonic() - began)
                found = [await spent(wires, f"shared-{number}") for number in range(WALLETS)]
                assert [] == list((await wires[-1].call("Verify")).problems)

    assert ROUNDS == len(rounds)
    assert [] == [came_to for came_to in rounds if came_to != ONE_WINS]
    assert [Spent(ALL_IS_SPENT, frozenset({0}))] * WALLETS == found


@pytest.mark.timeout(SECONDS_MAX)
async def test_killed_processes_are_replaced_under_a_long_load(tmp_path):
    """
    G1, G7, F17: two of four processes are killed, who keeps time among them: nothing acknowledged
    is lost, nothing happens twice, and what falls due happens.
    """
    async with postgres_server.database() as url:
        with branches(tmp_path, url, BRANCHES) as begun:
            told, happened = await killed(url, begun, TOLD_MIN)

        assert happened
        assert len(told) >= 3 * TOLD_MIN
        assert [] == await amiss(url, tmp_path / "branch-0", told)
