"""
Relays and brokers that are stopped, killed and wiped, on real brokers: the stream stays whole.

The sizes are those of every change; `CLIENTELA_STREAM_EVENTS` asks for more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.jetstream.stream import StreamShape
from clientela.adapters.memory import MemoryStore
from clientela.adapters.memory_leases import MemoryLeases
from clientela.services.bus import BusError
from clientela.services.event_stream import EventStream, StreamStatus
from clientela.services.ports import JournalStore
from clientela.services.relay import Relay
from tests.adapters.jetstream.brokers import RealBroker, broker
from tests.adapters.jetstream.relay_process import BATCH, WINDOW_S, OpenTail
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


EVENTS = int(os.environ.get("CLIENTELA_STREAM_EVENTS", "1500"))
KILLS = max(EVENTS // 500, 3)
SECONDS_MAX = 60.0 + EVENTS / 100


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[RealBroker]:
    """A broker that may be killed."""
    with broker(tmp_path / "broker") as running:
        yield running


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    """A relay at work, killed at the end: it gives nothing back."""
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def whole(held: list, rows: list) -> None:  # type: ignore[type-arg]
    """Check that the stream is the store."""
    assert [row.position for row in rows] == positions(held)
    assert [] == amiss(held)
    assert refs(rows) == effects(held)


async def judged(store: JournalStore, bus: JetStreamBus) -> StreamStatus:
    """What the operator's own check says."""
    relay = Relay(store, MemoryLeases(), bus, MESSAGES, "operator")
    stream = EventStream(store, bus, MESSAGES, relay, lambda: "r1")
    return [status async for status in stream.check()][-1]


def relay_process(account: Broker, events: int, *more: str) -> subprocess.Popen[str]:
    """A relay in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.adapters.jetstream.relay_process",
         account.urls[0], str(events), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def heard(process: subprocess.Popen[str], batches: int) -> None:
    """Wait until a relay has sent so many batches; it sends one more and waits."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n" * batches)
    process.stdin.flush()
    for _ in range(batches):
        assert "sent\n" == process.stdout.readline()


def finished(process: subprocess.Popen[str]) -> None:
    """Let a relay come to its end: it is told no more when to go on."""
    process.communicate(timeout=SECONDS_MAX)
    assert 0 == process.returncode


async def test_relays_killed_at_random_lose_nothing_and_repeat_nothing(account: Broker):
    """G13, F7: relay processes are killed -9 in the middle of a batch, again and again."""
    rng, store = random.Random(7), await filled(EVENTS)
    for _ in range(KILLS):
        process = relay_process(account, EVENTS)
        heard(process, rng.randrange(1, 8))
        await asyncio.sleep(rng.random() / 100)
        process.kill()
        process.communicate()
    finished(relay_process(account, EVENTS))
    bus = JetStreamBus(account, StreamShape(window_s=WINDOW_S))
    held = await all_of(bus)
    said = await judged(store, bus)
    await bus.close()

    whole(held, await rows_of(store))
    assert (0, EVENTS, 0) == (said.count, said.done, said.waiting)


async def stopped_and_continued(account: Broker, *more: str) -> tuple[list, StreamStatus]:  # type: ignore[type-arg]
    """
    A relay process is stopped in the middle, another relay finishes its work, the first wakes.
    """
    events = BATCH * 40
    process = relay_process(account, events, *more)
    heard(process, 3)
    process.send_signal(signal.SIGSTOP)
    bus = JetStreamBus(account, StreamShape(window_s=WINDOW_S))
    if more:
        bus.tail = OpenTail
    store = await filled(events)
    async with running(Relay(store, MemoryLeases(), bus, MESSAGES, "other")) as other:
        await until(lambda: other.position == events)
        # What the broker remembers of ids must not be what saves the stream.
        await asyncio.sleep(WINDOW_S * 3)
        process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(finished, process)
    held, said = await all_of(bus), await judged(store, bus)
    await bus.close()
    return held, said


async def test_relay_stopped_past_its_lease_and_continued_writes_nothing(account: Broker):
    """G9, G13, F17: SIGSTOP, another relay takes over, SIGCONT: the stream has no inversion."""
    held, said = await stopped_and_continued(account)

    assert list(range(1, BATCH * 40 + 1)) == positions(held)
    assert [] == amiss(held)
    assert 0 == said.count


async def test_without_the_fence_the_continued_relay_writes_twice(account: Broker):
    """G13 control: without the fence the same leaves inversions, and the check names them."""
    bus = JetStreamBus(account, StreamShape(window_s=WINDOW_S))
    await bus.join()
    await bus.close()
    held, said = await stopped_and_continued(account, "--unfenced")

    assert [] != amiss(held)
    assert said.count
    assert "twice or out of its order" in said.problems[0]
    assert refs(await rows_of(await filled(BATCH * 40))) == effects(held)


async def test_brokers_killed_under_load_lose_nothing(own_broker: RealBroker):
    """G13, F8: the broker is killed -9 while commands go on; every event arrives, in order."""
    store, history = MemoryStore(), History(20)
    bus = JetStreamBus(own_broker.account())
    rng = random.Random(11)
    async with running(Relay(store, MemoryLeases(), bus, MESSAGES, "a")) as relay:
        for _ in range(KILLS):
            for _ in range(EVENTS // KILLS // 10):
                await history.grow(store, 10)
                relay.wake()
                await asyncio.sleep(rng.random() / 200)
            await asyncio.to_thread(own_broker.kill)
            await history.grow(store, 10)
            relay.wake()
            await until(lambda: bool(relay.trouble))
            await asyncio.to_thread(own_broker.start)
        last = await store.last_position()
        await until(lambda: relay.position == last)
    held = await all_of(bus)
    await bus.close()

    whole(held, await rows_of(store))


async def test_wiped_broker_is_filled_again(own_broker: RealBroker):
    """G15, F9: the broker's store is destroyed; the relay notices and sends everything again."""
    store, history = MemoryStore(), History()
    await history.grow(store, EVENTS)
    bus = JetStreamBus(own_broker.account())
    async with running(Relay(store, MemoryLeases(), bus, MESSAGES, "a")) as relay:
        await until(lambda: relay.position == EVENTS)
        await asyncio.to_thread(own_broker.kill)
        own_broker.wipe()
        await asyncio.to_thread(own_broker.start)
        await history.grow(store, 1)
        relay.wake()
        await until(lambda: relay.position == EVENTS + 1)
    held, said = await all_of(bus), await judged(store, bus)
    await bus.close()

    whole(held, await rows_of(store))
    assert 0 == said.count


async def test_events_wait_while_the_broker_is_down_and_then_drain(tmp_path: Path):
    """G16: hours without a broker cost the commands nothing, and the backlog drains in order."""
    store = await filled(EVENTS * 2)
    with broker(tmp_path) as late:
        late.stop()
        bus = JetStreamBus(late.account())
        async with running(Relay(store, MemoryLeases(), bus, MESSAGES, "a")) as relay:
            await until(lambda: bool(relay.trouble))
            late.start()
            await until(lambda: relay.position == EVENTS * 2)
        held = await all_of(bus)
        await bus.close()

    whole(held, await rows_of(store))


async def test_check_names_what_is_missing_and_what_was_changed(account: Broker):
    """G15, R12: holes and altered messages are found and named; a rebuilding mends them."""
    store = await filled(300)
    bus = JetStreamBus(account)
    rows = await rows_of(store)
    made = [MESSAGES.of(row) for row in rows]
    sent = [m for m in made if m.position not in {5, 77}]
    sent[200] = MESSAGES.of(rows[202], "other life")
    tail = await bus.join()
    await tail.publish(sent)
    said = await judged(store, bus)

    assert 3 == said.count
    assert 297 == said.done
    assert f"{rows[4].journal}@{rows[4].version} is missing" == said.problems[0]

    leases = MemoryLeases()
    relay = Relay(store, leases, bus, MESSAGES, "a")
    stream = EventStream(store, bus, MESSAGES, relay, lambda: "r1")
    async with running(relay):
        async for status in stream.rebuild():
            await asyncio.sleep(0.01)
            if status.is_complete:
                break
    assert 0 == (await judged(store, bus)).count
    whole(await all_of(bus), rows)
    await bus.close()


async def test_lost_end_is_sent_again(own_broker: RealBroker, tmp_path: Path):
    """F9, G3: a broker that lost its last messages in a power cut is given them again."""
    import shutil

    store, history = MemoryStore(), History()
    bus = JetStreamBus(own_broker.account())
    relay = Relay(store, MemoryLeases(), bus, MESSAGES, "a")
    await history.grow(store, 200)
    while await relay.step():
        pass
    own_broker.stop()
    shutil.copytree(own_broker.folder / "store", tmp_path / "older")
    own_broker.start()
    await history.grow(store, 200)
    async with running(relay):
        await until(lambda: relay.position == 400)
        await asyncio.to_thread(own_broker.kill)
        own_broker.wipe()
        shutil.copytree(tmp_path / "older", own_broker.folder / "store")
        await asyncio.to_thread(own_broker.start)
        await history.grow(store, 5)
        relay.wake()
        await until(lambda: relay.position == 405)
    held = await all_of(bus)
    await bus.close()

    whole(held, await rows_of(store))


async def test_bus_errors_are_ours(own_broker: RealBroker):
    """Whatever the client raises while a broker dies leaves the adapter as a `BusError`."""
    bus = JetStreamBus(own_broker.account())
    history = History()
    tail = await bus.join()

    async def publish() -> None:
        for first in range(1, 1_000_000, 50):
            await tail.publish(messages(50, first=first, history=history))

    killing = asyncio.create_task(asyncio.to_thread(own_broker.kill))
    with pytest.raises(BusError):
        await publish()
    await killing
    await bus.close()
