"""
The stream of events on a real broker.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import nats
import pytest

from nats.aio.client import Client
from nats.js.api import DiscardPolicy, StorageType, StreamConfig

from clientela.adapters.jetstream.acks import Acks
from clientela.adapters.jetstream.bus import (
    ForeignMessageError,
    JetStreamBus,
    MessageMissingError,
)
from clientela.adapters.jetstream.connection import Broker, Closed
from clientela.adapters.jetstream.pace import Pace
from clientela.adapters.jetstream.stream import (
    MESSAGE_BYTES_MAX,
    STREAM,
    BrokerTooSmallError,
    StreamMisconfiguredError,
    StreamMissingError,
    StreamShape,
)
from clientela.adapters.jetstream.tail import JetStreamTail
from clientela.services.bus import READ_MAX, BusUnavailableError, FencedError
from clientela.services.event_messages import MESSAGE_ID
from clientela.services.partitions import SUBJECT
from tests.adapters.jetstream.brokers import broker
from tests.services.streams import History, all_of, amiss, messages, positions


class OnlyBatches(Pace):
    """Takes whatever it can as a batch."""

    def prefers_batch(self, count: int) -> bool:
        return True


class NoBatches(Pace):
    """Takes nothing as a batch."""

    def prefers_batch(self, count: int) -> bool:
        return False


class OpenTail(JetStreamTail):
    """Sabotage: says nothing of which message it takes for the last one."""

    fence = "Clientela-Nothing"


@pytest.fixture
async def bus(account: Broker) -> AsyncIterator[JetStreamBus]:
    """A bus over an account of the test's own."""
    opened = JetStreamBus(account)
    yield opened
    await opened.close()


@pytest.fixture(params=[OnlyBatches, NoBatches])
def way(request: pytest.FixtureRequest, bus: JetStreamBus) -> JetStreamBus:
    """The bus, writing in either way."""
    bus._pace = request.param()
    return bus


@attrs.frozen
class Noting:
    """
    A way in.

    Attributes:
        account: Where to.

        made: Connections that were made.
    """

    account: Broker
    made: list[Client] = attrs.field(factory=list[Client])

    async def connect(self, closed: Closed) -> Client:
        """A connection."""
        client = await self.account.connect(closed)
        self.made.append(client)
        return client


@pytest.mark.parametrize("failure", [TimeoutError, asyncio.CancelledError])
async def test_connection_that_is_of_no_use_is_let_go(
    account: Broker, failure: type[BaseException], monkeypatch: pytest.MonkeyPatch
):
    """F8: whoever fails or goes away between connecting and asking leaves no connection behind."""

    async def fails(_client: Client) -> Acks:
        raise failure

    monkeypatch.setattr(Acks, "open", fails)
    noting = Noting(account)
    bus = JetStreamBus(noting)

    with pytest.raises((BusUnavailableError, asyncio.CancelledError)):
        await bus.join()

    assert [True] == [client.is_closed for client in noting.made]


async def altered(account: Broker, **changes: object) -> None:
    """Make the stream as it must be, but for some settings."""
    client = await nats.connect(account.urls[0])
    shape: dict[str, object] = {
        "name": STREAM,
        "subjects": [f"{SUBJECT}.>"],
        "discard": DiscardPolicy.NEW,
        "duplicate_window": 120,
    }
    await client.jetstream().add_stream(StreamConfig(**{**shape, **changes}))  # type: ignore[arg-type]
    await client.close()


async def test_stream_is_made_as_it_must_be(bus: JetStreamBus, account: Broker):
    """R12: file storage, discard new, no deletion, ids remembered for two minutes."""
    tail = await bus.join()
    client = await nats.connect(account.urls[0])
    made = (await client.jetstream().stream_info(STREAM)).config
    await client.close()

    assert (0, "") == (tail.position, tail.epoch)
    assert StorageType.FILE == made.storage
    assert DiscardPolicy.NEW == made.discard
    assert made.deny_delete
    assert 120 == made.duplicate_window
    assert MESSAGE_BYTES_MAX == made.max_msg_size


@pytest.mark.parametrize("count", [1, 7, 500])
async def test_messages_are_held_as_they_were_sent(way: JetStreamBus, count: int):
    """G13: what was published is read back in the same order, byte by byte, and joined behind."""
    sent = messages(count)
    tail = await way.join()
    await tail.publish(sent)
    held = await all_of(way)

    assert [message.body for message in sent] == [message.body for message in held]
    assert [message.subject for message in sent] == [message.subject for message in held]
    for was, is_ in zip(sent, held, strict=True):
        assert was.headers == {name: is_.headers[name] for name in was.headers}
    assert count == tail.position == (await way.join()).position


async def test_reading_goes_on_after_a_sequence(bus: JetStreamBus):
    """What is read after a sequence is what follows it."""
    await (await bus.join()).publish(messages(20))

    assert [16, 17, 18, 19, 20] == positions(await all_of(bus, 15))
    assert [] == await all_of(bus, 20)


async def test_writer_who_has_not_seen_the_end_is_refused(way: JetStreamBus):
    """G13, R11: of two tails of one end the second to write is fenced, and nothing of it is in."""
    history = History()
    first, second = await way.join(), await way.join()
    await first.publish(messages(40, history=history))
    with pytest.raises(FencedError):
        await second.publish(messages(40, first=41, history=history))

    assert list(range(1, 41)) == positions(await all_of(way))
    with pytest.raises(FencedError):
        await second.check()
    await first.check()


async def test_without_the_fence_the_late_writer_is_not_refused(account: Broker):
    """G13 control: a tail without the fence writes twice what the broker has forgotten."""
    bus = JetStreamBus(account, StreamShape(window_s=0.1))
    bus.tail = OpenTail
    first, second = await bus.join(), await bus.join()
    sent = messages(20)
    await first.publish(sent)
    client = await nats.connect(account.urls[0])
    await client.jetstream().update_stream(
        StreamConfig(
            name=STREAM,
            subjects=[f"{SUBJECT}.>"],
            discard=DiscardPolicy.NEW,
            duplicate_window=0.1,
            deny_delete=True,
            max_msg_size=MESSAGE_BYTES_MAX,
            allow_atomic=True,
            allow_direct=True,
            max_bytes=1024**3,
        )
    )
    await client.close()
    while len(await all_of(bus)) < 25:
        await second.publish(messages(20))
    found = amiss(await all_of(bus))
    await bus.close()

    assert [] != found


async def test_cleared_stream_takes_the_same_events_again(way: JetStreamBus):
    """G15: after a clearing the same events are taken again, though the broker knows their ids."""
    sent = messages(40)
    await (await way.join()).publish(sent)
    await way.clear()
    assert [] == await all_of(way)
    tail = await way.join()
    assert 0 == tail.position
    await tail.publish(sent)
    await tail.publish(messages(5, first=41, history=History(name="d")))

    assert list(range(1, 46)) == positions(await all_of(way))


async def test_late_writer_cannot_write_into_a_cleared_stream(way: JetStreamBus):
    """G13: a tail from before a clearing is refused, though nobody has written since."""
    tail = await way.join()
    await tail.publish(messages(40))
    await way.clear()
    with pytest.raises(FencedError):
        await tail.publish(messages(3, first=41))

    assert [] == await all_of(way)


async def test_broker_that_remembers_in_the_middle_is_written_to_all_the_same(bus: JetStreamBus):
    """G15: an id remembered of a message that was dropped costs no event and no order."""
    sent = messages(40)
    await (await bus.join()).publish(sent[10:20])
    await bus.clear()
    await (await bus.join()).publish(sent)

    assert list(range(1, 41)) == positions(await all_of(bus))
    held = await all_of(bus)
    assert MESSAGE_ID in held[9].headers
    assert MESSAGE_ID not in held[10].headers


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"storage": StorageType.MEMORY}, "storage: memory, not file"),
        ({"discard": DiscardPolicy.OLD}, "discard: old, not new"),
        ({"max_age": 3600}, "max_age: 3600.0, not 0"),
        ({"max_msgs": 10}, "max_msgs: 10, not -1"),
        ({"subjects": [f"{SUBJECT}.>", "other"]}, "subjects: "),
        ({"max_msg_size": 1000}, f"max_msg_size: 1000, not {MESSAGE_BYTES_MAX} or more"),
        ({"duplicate_window": 1}, "duplicate_window: 1 s, not 120"),
        ({"no_ack": True}, "no_ack: True, not False"),
    ],
)
async def test_stream_that_is_not_as_it_must_be_is_refused(
    bus: JetStreamBus, account: Broker, changes: dict[str, object], fault: str
):
    """R12: a stream that could lose events, or does not hold ours, is refused with advice."""
    await altered(account, **changes)
    with pytest.raises(StreamMisconfiguredError) as refused:
        await bus.join()

    assert 1 == len(refused.value.faults)
    assert refused.value.faults[0].startswith(fault)
    assert "nats stream edit" in str(refused.value)


async def test_stream_is_not_made_against_the_settings(account: Broker):
    """R12: where provisioning makes streams, the service does not."""
    bus = JetStreamBus(account, StreamShape(may_create=False))
    with pytest.raises(StreamMissingError):
        await bus.join()
    await altered(account)
    tail = await bus.join()
    await bus.close()

    assert 0 == tail.position


async def test_broker_that_knows_no_batches_gets_messages(bus: JetStreamBus, account: Broker):
    """A stream that allows no batches is written to message by message."""
    await altered(account)
    tail = await bus.join()
    await tail.publish(messages(200))

    assert tail._pace is None
    assert list(range(1, 201)) == positions(await all_of(bus))


async def test_batch_that_is_refused_leaves_as_messages(bus: JetStreamBus):
    """A batch longer than the broker takes is refused as a whole, and leaves one by one."""
    bus._pace = OnlyBatches()
    await (await bus.join()).publish(messages(1_100))

    assert list(range(1, 1_101)) == positions(await all_of(bus))


async def test_message_of_somebody_else_is_refused(bus: JetStreamBus, account: Broker):
    """A stream that somebody else has written to is refused: it does not say where it ends."""
    await bus.join()
    client = await nats.connect(account.urls[0])
    await client.jetstream().publish(f"{SUBJECT}.client.1", b"{}")
    await client.close()

    with pytest.raises(ForeignMessageError):
        await bus.join()


async def test_missing_end_is_refused(bus: JetStreamBus, account: Broker):
    """A stream whose last message was deleted does not say where it ends."""
    await altered(account)
    await (await bus.join()).publish(messages(3))
    client = await nats.connect(account.urls[0])
    await client.jetstream().delete_msg(STREAM, 3)
    await client.close()

    with pytest.raises(MessageMissingError):
        await bus.join()


async def test_full_stream_takes_nothing_and_loses_nothing(account: Broker):
    """R12, F5: a stream that is full refuses; what is in stays, and is where it goes on."""
    bus = JetStreamBus(account, StreamShape(bytes_max=100_000))
    tail = await bus.join()
    history = History()

    async def fill() -> None:
        for first in range(1, 10_000, 20):
            await tail.publish(messages(20, first=first, history=history))

    with pytest.raises(BusUnavailableError, match="maximum bytes exceeded"):
        await fill()
    held = positions(await all_of(bus))
    await bus.close()

    assert list(range(1, len(held) + 1)) == held
    assert 20 < len(held) < 500


async def test_broker_that_takes_only_short_messages_is_refused(tmp_path: Path):
    """A broker that could not take our longest event is refused at once, not when it comes."""
    with broker(tmp_path, payload_max=100_000) as small:
        bus = JetStreamBus(small.account())
        with pytest.raises(BrokerTooSmallError):
            await bus.join()
        await bus.close()


async def test_broker_that_is_not_there_is_unavailable(tmp_path: Path):
    """F8: a broker that is not there, or goes while it is used, is unavailable until it is back."""
    with broker(tmp_path) as mortal:
        bus = JetStreamBus(mortal.account())
        tail = await bus.join()
        await tail.publish(messages(40))
        mortal.kill()
        with pytest.raises(BusUnavailableError):
            await tail.publish(messages(40, first=41))
        with pytest.raises(BusUnavailableError):
            await bus.join()
        mortal.start()
        assert 40 == (await bus.join()).position
        await bus.close()


async def test_broker_that_falls_silent_is_not_taken_for_the_end(tmp_path: Path, monkeypatch):
    """F8: a broker that stops answering in the middle of a reading has not told everything."""
    monkeypatch.setattr("clientela.adapters.jetstream.bus.ANSWER_S", 3.0)
    # A fetch brings as many as it asks for, or fewer: what follows on the next one is not here yet.
    count = 3 * READ_MAX
    with broker(tmp_path) as silent:
        bus = JetStreamBus(silent.account())
        await (await bus.join()).publish(messages(count))
        read = 0

        async def read_on() -> None:
            nonlocal read
            async for _ in bus.read():
                read += 1
                if read == READ_MAX:
                    silent.pause()

        try:
            with pytest.raises(BusUnavailableError):
                await read_on()
        finally:
            silent.go_on()
            await bus.close()

    assert READ_MAX <= read < count


async def test_wrong_password_is_unavailable_and_not_told(account: Broker):
    """Who is not let in learns so without the password being repeated."""
    wrong = Broker(urls=(account.urls[0].replace(":t@", ":hunter2@"),))
    with pytest.raises(BusUnavailableError) as refused:
        await JetStreamBus(wrong).join()

    assert "hunter2" not in str(refused.value)
