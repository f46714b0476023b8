"""
The contract of every store of leases.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from clientela.services.leases import Lease, Leases
from tests.adapters.lease_stores import LEASE_STORES


LONG = timedelta(hours=1)
SHORT = timedelta(milliseconds=50)
SECONDS_MAX = 60.0


@pytest.fixture(params=LEASE_STORES)
async def leases(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Leases]:
    """An empty store of leases."""
    async with LEASE_STORES[request.param](tmp_path) as opened:
        yield opened


async def taken(leases: Leases, name: str, holder: str) -> Lease:
    """The lease, once it can be had."""
    deadline = time.monotonic() + SECONDS_MAX
    while (lease := await leases.acquire(name, holder, LONG)) is None:
        assert time.monotonic() < deadline, "the lease never ran out"
        await asyncio.sleep(0.005)
    return lease


async def test_free_lease_is_granted_with_epoch_one(leases: Leases):
    """G9: the first holder of a lease gets epoch 1."""
    assert Lease("relay", "a", 1) == await leases.acquire("relay", "a", LONG)


async def test_held_lease_is_granted_to_nobody_else(leases: Leases):
    """G9: while one holds a lease another gets none, and the holder keeps its epoch."""
    await leases.acquire("relay", "a", LONG)

    assert await leases.acquire("relay", "b", LONG) is None
    assert Lease("relay", "a", 1) == await leases.acquire("relay", "a", LONG)


async def test_leases_of_different_names_know_nothing_of_each_other(leases: Leases):
    """Another name is another lease."""
    await leases.acquire("relay", "a", LONG)

    assert Lease("scheduler", "b", 1) == await leases.acquire("scheduler", "b", LONG)


async def test_lease_that_ran_out_is_taken_over_under_a_higher_epoch(leases: Leases):
    """G9: who takes over gets a higher epoch, and the old holder gets nothing any more."""
    await leases.acquire("relay", "a", SHORT)

    assert Lease("relay", "b", 2) == await taken(leases, "relay", "b")
    assert await leases.acquire("relay", "a", LONG) is None


async def test_renewed_lease_does_not_run_out(leases: Leases):
    """A lease renewed for an hour is not free when its first term is over."""
    await leases.acquire("relay", "a", SHORT)
    await leases.acquire("relay", "a", LONG)
    await taken(leases, "clock", "a")
    deadline = time.monotonic() + 2 * SHORT.total_seconds()

    while time.monotonic() < deadline:
        assert await leases.acquire("relay", "b", LONG) is None
        await asyncio.sleep(0.005)


async def test_holder_that_was_late_keeps_its_epoch_if_nobody_came(leases: Leases):
    """The epoch grows with the holder, not with time: nobody wrote in between."""
    await leases.acquire("relay", "a", timedelta())

    assert Lease("relay", "a", 1) == await leases.acquire("relay", "a", LONG)


async def test_released_lease_is_free_at_once(leases: Leases):
    """A lease given back is granted to whoever comes next."""
    held = await taken(leases, "relay", "a")
    await leases.release(held)

    assert Lease("relay", "b", 2) == await leases.acquire("relay", "b", LONG)


async def test_release_of_a_lost_lease_changes_nothing(leases: Leases):
    """G9: who lost a lease cannot give back what is another's."""
    old = await taken(leases, "relay", "a")
    await leases.release(old)
    await leases.acquire("relay", "b", LONG)
    await leases.release(old)

    assert await leases.acquire("relay", "c", LONG) is None


async def test_of_many_that_ask_at_once_one_gets_it(leases: Leases):
    """G9: 32 holders ask at the same time and exactly one is granted."""
    granted = await asyncio.gather(*(leases.acquire("relay", f"h{i}", LONG) for i in range(32)))

    assert 1 == sum(lease is not None for lease in granted)
