"""
Two processes over one PostgreSQL and one stream: one relays, and the other takes over.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.postgres.leases import PostgresLeases
from clientela.adapters.postgres.positions import COUNTER, XMIN
from clientela.adapters.postgres.store import PostgresStore
from clientela.services.event_stream import EventStream
from clientela.services.leases import Lease
from clientela.services.relay import LEASE_TTL, Relay
from tests.adapters import journal_stores, postgres_server
from tests.services.streams import MESSAGES, History, all_of, amiss, effects, refs, rows_of


SECONDS_MAX = 60.0
WRITERS = 8
EACH = 40


class ToldClock:
    """Stands still until it is put forward: no lease runs out meanwhile."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    """A relay at work."""
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Forgetful(PostgresLeases):
    """Of a process that is killed: it gives nothing back."""

    async def release(self, lease: Lease) -> None:
        """Keep the lease."""


@pytest.mark.parametrize("positions", [XMIN, COUNTER])
async def test_relay_of_another_process_takes_over(account: Broker, positions: str):
    """
    G13, G14: writers of two processes commit at the same time; the relay of one sends, it dies with
    its lease held, the other's goes on: the stream is the store, whatever the order of commits.
    """
    one = await journal_stores.postgres(positions)
    two = await PostgresStore.open(postgres_server.shared().get_uri(one.database))
    clock = ToldClock()
    buses = [JetStreamBus(account), JetStreamBus(account)]
    first = Relay(one, Forgetful(one, clock), buses[0], MESSAGES, "first")
    second = Relay(two, PostgresLeases(two, clock), buses[1], MESSAGES, "second")
    writers = [History(3, f"w{n}-") for n in range(WRITERS)]
    try:
        async with contextlib.AsyncExitStack() as at_work:
            async with running(first):
                await until(lambda: first.position == 0)
                await at_work.enter_async_context(running(second))
                await write(writers, one, two)
                await until(lambda: bool(first.position))
                assert second.position is None
            await write(writers, two, one)
            clock.now += LEASE_TTL * 2
            last = await one.last_position()
            await until(lambda: second.position == last)
        held, rows = await all_of(buses[1]), await rows_of(one)
        stream = EventStream(two, buses[1], MESSAGES, second, lambda: "r1")
        said = [status async for status in stream.check()][-1]
    finally:
        for bus in buses:
            await bus.close()
        await two.close()
        await one.close()

    assert [] == amiss(held)
    assert refs(rows) == effects(held)
    assert (2 * WRITERS * EACH, 0) == (said.done, said.count)


async def write(writers: list[History], *stores: PostgresStore) -> None:
    """Have everybody write at the same time, half of them through each store."""
    await asyncio.gather(*(writer.grow(stores[n % 2], EACH) for n, writer in enumerate(writers)))
