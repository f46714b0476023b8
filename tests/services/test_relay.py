"""
The relay over a bus and a store in memory, disturbed at every place where it can be.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from clientela.adapters.memory import MemoryStore
from clientela.adapters.memory_leases import MemoryLeases
from clientela.services import relay as relaying
from clientela.services.bus import BusAheadError, BusUnavailableError, FencedError
from clientela.services.partitions import PartitionsError
from clientela.services.ports import PAGE_MAX
from clientela.services.relay import BATCH_MAX, LEASE, LEASE_TTL, LOOK_S, REBUILD, RENEW_S, Relay
from clientela.services.rows import StoredEvent
from clientela.services.store_errors import StoreUnavailableError
from tests.services.buses import MemoryBus
from tests.services.streams import (
    MESSAGES,
    History,
    all_of,
    amiss,
    effects,
    filled,
    messages,
    positions,
    refs,
    rows_of,
)


SECONDS_MAX = 90.0


class HeldClock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s

    def pass_by(self, seconds: float) -> None:
        """Let seconds pass."""
        self.now_s += seconds


class World:
    """A store, a bus, leases, and any number of relays between them."""

    def __init__(self, store: MemoryStore | None = None, bus: MemoryBus | None = None) -> None:
        self.clock = HeldClock()
        self.store = store or MemoryStore()
        self.bus = bus or MemoryBus()
        self.leases = MemoryLeases(self.clock)

    def relay(self, holder: str = "a") -> Relay:
        """A relay by this name."""
        return Relay(self.store, self.leases, self.bus, MESSAGES, holder, self.clock)

    def outlast_lease(self) -> None:
        """Let a lease run out."""
        self.clock.pass_by(LEASE_TTL.total_seconds() + 1)


async def drained(relay: Relay) -> int:
    """Let a relay work until there is nothing more; how much it sent."""
    sent = 0
    while count := await relay.step():
        sent += count
    return sent


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """A relay at work."""
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.002)


async def check(world: World) -> None:
    """The stream holds what the store does, in its order, each once."""
    held, rows = await all_of(world.bus), await rows_of(world.store)

    assert [row.position for row in rows] == positions(held)
    assert [] == amiss(held)
    assert refs(rows) == effects(held)


async def test_everything_committed_leaves_in_order_and_once():
    """G13: what is in the store is on the stream, in the order of commits, whatever the batches."""
    world = World(await filled(BATCH_MAX * 2 + 17))

    assert BATCH_MAX * 2 + 17 == await drained(world.relay())
    await check(world)


async def test_another_relay_goes_on_where_the_stream_ends():
    """R11: nothing is stored about what was sent; the stream itself says it."""
    world, history = World(), History()
    await history.grow(world.store, 30)
    await drained(world.relay("a"))
    await history.grow(world.store, 30)
    world.outlast_lease()

    assert 30 == await drained(world.relay("b"))
    await check(world)


async def test_relay_without_the_lease_sends_nothing():
    """G13: of two relays one works and the other waits, until the first one is gone."""
    world, history = World(), History()
    first, second = world.relay("a"), world.relay("b")
    await history.grow(world.store, 10)

    assert 10 == await drained(first)
    await history.grow(world.store, 10)
    assert 0 == await drained(second)
    assert second.position is None
    world.outlast_lease()
    assert 10 == await drained(second)
    await check(world)


async def test_relay_killed_between_publish_and_ack_sends_nothing_twice():
    """F7: events are in, nobody was told; the next relay does not send them again."""
    world = World(await filled(20))

    async def die() -> None:
        raise BusUnavailableError

    world.bus.after.append(die)
    with pytest.raises(BusUnavailableError):
        await world.relay("a").step()
    world.outlast_lease()

    assert 0 == await drained(world.relay("b"))
    await check(world)


async def stopped_and_continued(world: World) -> None:
    """
    A relay is stopped as it is about to write, another takes over and writes more, the first wakes.
    """
    history = History()
    await history.grow(world.store, 10)
    first, second = world.relay("a"), world.relay("b")
    stopped, continued = asyncio.Event(), asyncio.Event()

    async def stop() -> None:
        stopped.set()
        await continued.wait()

    world.bus.before.append(stop)
    waking = asyncio.create_task(first.step())
    await stopped.wait()
    world.outlast_lease()
    await history.grow(world.store, 10)
    await drained(second)
    continued.set()
    await asyncio.gather(waking, return_exceptions=True)
    await drained(second)
    await drained(first)


async def test_relay_stopped_past_its_lease_and_continued_writes_nothing():
    """G9, G13, F17: the old relay is fenced by the stream, however late it wakes."""
    world = World()
    await stopped_and_continued(world)

    await check(world)


async def test_without_the_fence_the_continued_relay_writes_twice():
    """G13 control: with the fence taken away the same story leaves an inversion on the stream."""
    world = World(bus=MemoryBus(is_fenced=False))
    await stopped_and_continued(world)
    held = await all_of(world.bus)

    assert [] != amiss(held)
    assert refs(await rows_of(world.store)) == effects(held)


async def test_fenced_relay_asks_for_its_lease_at_once():
    """G13: who is fenced looks whether it still leads before it writes again."""
    world, history = World(), History()
    await history.grow(world.store, 5)
    first = world.relay("a")
    await drained(first)
    world.clock.pass_by(RENEW_S / 2)
    world.leases = MemoryLeases(world.clock)
    first._leases = world.leases
    await world.leases.acquire(LEASE, "b", LEASE_TTL)
    await history.grow(world.store, 5)
    await world.bus.clear()

    with pytest.raises(FencedError):
        await first.step()
    assert 0 == await first.step()


async def test_wiped_stream_is_noticed_without_an_event_and_rebuilt():
    """G15, F9: a relay with nothing to send looks at the stream, and begins anew if it is empty."""
    world = World(await filled(25))
    relay = world.relay()
    await drained(relay)
    world.bus.held.clear()
    world.bus.sequence = 0
    world.clock.pass_by(LOOK_S + 1)
    with pytest.raises(FencedError):
        await relay.step()

    assert 25 == await drained(relay)
    await check(world)


async def test_wiped_stream_in_the_middle_of_a_backlog_is_begun_anew():
    """G15: what was made ahead of a batch is not sent after another end of the stream."""
    world = World(await filled(BATCH_MAX * 4))
    relay = world.relay()
    await relay.step()
    world.bus.held.clear()
    world.bus.sequence = 0
    with pytest.raises(FencedError):
        await relay.step()

    assert BATCH_MAX * 4 == await drained(relay)
    await check(world)


class WeakStore(MemoryStore):
    """
    A store in memory.

    Attributes:
        fails_after: Position after which nothing can be read; None while all is well.
    """

    fails_after: int | None = None

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        """Events above a position."""
        if self.fails_after is not None and after >= self.fails_after:
            raise StoreUnavailableError
        return await super().read_all(after, limit)


async def test_store_that_was_away_in_the_middle_of_a_backlog_holds_nothing_up():
    """G13, G16: what could not be read ahead is read again when the store is back."""
    store = WeakStore()
    world, history = World(store), History()
    await history.grow(store, BATCH_MAX * 3)
    relay = world.relay()
    store.fails_after = BATCH_MAX
    assert BATCH_MAX == await relay.step()
    with pytest.raises(StoreUnavailableError):
        await relay.step()
    store.fails_after = None

    assert BATCH_MAX * 2 == await drained(relay)
    await check(world)


async def test_rebuilding_that_was_asked_for_is_carried_out_once():
    """G15: the relay at work empties the stream and sends everything again; once for one asking."""
    world = World(await filled(25))
    relay = world.relay()
    await drained(relay)
    await world.store.note(REBUILD, "r1")
    world.clock.pass_by(RENEW_S)

    assert 25 == await drained(relay)
    world.clock.pass_by(RENEW_S)
    assert 0 == await drained(relay)
    await check(world)


async def test_rebuilding_survives_the_death_of_the_relay():
    """G15: whoever takes over finds the asking, and what was sent of it, and finishes it."""
    world = World(await filled(BATCH_MAX + 25))
    await drained(world.relay("a"))
    await world.store.note(REBUILD, "r1")
    world.outlast_lease()
    assert BATCH_MAX == await world.relay("b").step()
    world.outlast_lease()

    assert 25 == await drained(world.relay("c"))
    await check(world)


async def test_stream_of_another_life_of_the_store_is_not_written_to():
    """F24: after a restore the relay stops and says what to do; it mixes no two histories."""
    world = World(await filled(5))
    await world.store.note("epoch", "0-x")
    relay = world.relay()
    await drained(relay)
    await world.store.note("epoch", "1-y")
    world.outlast_lease()

    with pytest.raises(BusAheadError, match="clientela stream rebuild"):
        await world.relay("b").step()
    await world.store.note(REBUILD, "r1")
    world.clock.pass_by(RENEW_S)
    world.outlast_lease()
    assert 5 == await drained(world.relay("c"))


async def test_stream_ahead_of_the_store_is_not_written_to():
    """F24: a stream that holds more than the store is not gone on with."""
    world = World()
    await (await world.bus.join()).publish(messages(3))

    with pytest.raises(BusAheadError):
        await world.relay().step()


async def test_another_number_of_partitions_stops_the_relay():
    """R13: events never leave in other partitions than those before them."""
    world = World(await filled(1))
    await world.store.note("partitions", "16")

    with pytest.raises(PartitionsError):
        await world.relay().step()


async def test_bus_that_is_down_for_long_costs_nothing_and_drains():
    """G16, F8: with the bus down events wait in the store; they leave in order when it is back."""
    world, history = World(), History()
    world.bus.is_down = True
    relay = world.relay()
    async with running(relay):
        await history.grow(world.store, BATCH_MAX + 100)
        await until(lambda: bool(relay.trouble))
        world.bus.is_down = False
        await until(lambda: len(world.bus.held) == BATCH_MAX + 100)
        await until(lambda: not relay.trouble)

    await check(world)


async def test_waking_brings_an_event_out_at_once(monkeypatch):
    """speed.md 6: a relay at rest sends an event when it is woken, not when it looks by itself."""
    monkeypatch.setattr(relaying, "POLL_S", 3_600.0)
    world, history = World(), History()
    relay = Relay(world.store, world.leases, world.bus, MESSAGES, "a")
    async with running(relay):
        await until(lambda: relay.position == 0)
        await history.grow(world.store, 1)
        relay.wake()
        await until(lambda: len(world.bus.held) == 1)

    assert 1 == len(world.bus.held)


async def test_relay_that_is_stopped_gives_its_lease_back():
    """Another relay need not wait for the lease of one that ended in order."""
    world = World(await filled(3))
    async with running(world.relay("a")):
        await until(lambda: len(world.bus.held) == 3)
    await History(name="d").grow(world.store, 2)

    assert 2 == await drained(world.relay("b"))


Cut = Callable[[World], Awaitable[None]]


@pytest.mark.parametrize("seed", range(20))
async def test_any_mixture_of_faults_leaves_the_stream_whole(seed: int):
    """G13: relays die before and after publishing, are stopped, and the stream is wiped: whole."""
    import random

    rng = random.Random(seed)
    world, history = World(), History()
    relays = [world.relay(name) for name in "abc"]

    async def die() -> None:
        raise BusUnavailableError

    for _ in range(60):
        await history.grow(world.store, rng.randrange(8))
        match rng.randrange(7):
            case 0:
                world.bus.before.append(die)
            case 1:
                world.bus.after.append(die)
            case 2:
                world.outlast_lease()
            case 3:
                relays[rng.randrange(3)] = world.relay(f"n{rng.random()}")
            case 4 if rng.random() < 0.3:
                await world.bus.clear()
            case _:
                world.clock.pass_by(rng.random() * 10)
        await asyncio.gather(*(relay.step() for relay in relays), return_exceptions=True)
    world.bus.before.clear()
    world.bus.after.clear()
    world.outlast_lease()
    last = world.relay("last")
    await drained(last)

    await check(world)
