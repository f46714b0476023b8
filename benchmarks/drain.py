"""
The relay's way from a store to a stream, in this process and as fast as it goes.
"""

from __future__ import annotations

import contextlib

import attrs
import nats
import nats.js.errors

from benchmarks.stream_limit import Passed, Stopwatch
from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.jetstream.stream import STREAM
from clientela.adapters.memory_leases import MemoryLeases
from clientela.services.core import Core
from clientela.services.event_messages import EventMessages, Message
from clientela.services.ports import PAGE_MAX
from clientela.services.relay import EPOCH, Relay


@attrs.define
class Way:
    """
    A relay and its bus.

    Attributes:
        relay: The relay.

        bus: Where it publishes; to be closed.
    """

    relay: Relay
    bus: JetStreamBus


def messages_of(core: Core) -> EventMessages:
    """What makes messages of the events of *core*."""
    records = core.path.records
    return EventMessages(records.rulebook.event_classes, records.codec, core.sessions.blind)


def way(core: Core, url: str) -> Way:
    """From the store of *core* to the broker at *url*."""
    bus = JetStreamBus(Broker(urls=(url,)))
    relay = Relay(core.store, MemoryLeases(), bus, messages_of(core), core.new_id())
    return Way(relay=relay, bus=bus)


async def prepared(core: Core, count: int) -> list[Message]:
    """The messages of the first *count* events at most."""
    made, epoch = messages_of(core), await core.store.note(EPOCH) or ""
    found: list[Message] = []
    while len(found) < count:
        after = found[-1].position if found else 0
        page = await core.store.read_all(after, min(PAGE_MAX, count - len(found)))
        if not page:
            break
        found.extend(made.of(row, epoch) for row in page)
    return found


async def drained(core: Core, url: str, count: int) -> Passed:
    """
    Publish what the stream lacks, by the relay.

    The first batch, for which the stream is joined, does not count.

    Args:
        core: Of the company.

        url: Of the broker.

        count: Events after which it is enough; a batch more may be sent.
    """
    using = way(core, url)
    try:
        sent = await using.relay.step()
        watch, counted = Stopwatch(), 0
        while sent and counted < count:
            sent = await using.relay.step()
            counted += sent
        return watch.passed(max(counted, 1))
    finally:
        await using.bus.close()


async def forgotten(url: str) -> None:
    """Throw the stream of the broker at *url* away, if there is one."""
    client = await nats.connect(url)
    try:
        with contextlib.suppress(nats.js.errors.NotFoundError):
            await client.jetstream().delete_stream(STREAM)
    finally:
        await client.close()
