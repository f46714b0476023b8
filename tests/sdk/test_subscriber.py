"""
The subscriber over a real broker: duplicates, disorder, delays, poison, kills.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from clientela.domain.codec import Codec
from clientela.domain.event import event_type
from clientela.domain.facts import SignalRecorded
from clientela.domain.ids import Blind, ClientId, client_journal
from clientela.sdk.event import Event
from clientela.sdk.message import Announced, MalformedMessageError, event_in
from clientela.sdk.positions import EpochChangedError
from clientela.sdk.reader import FAILURES_MAX, Reader
from clientela.sdk.sqlite_positions import SqlitePositions
from clientela.sdk.subscriber import Subscriber
from clientela.services import event_messages
from clientela.services.envelope import body_of
from clientela.services.event_messages import EventMessages
from clientela.services.rows import StoredEvent
from tests.adapters.jetstream.brokers import broker
from tests.sdk.broker import answering, events_stream, stream
from tests.sdk.test_reader import PAVEL, PETRA, Ledger


AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECONDS_MAX = 90.0


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A broker for all tests of this module."""
    with broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


def message(journal, version, name="note-taken.v1", *, epoch="1-a", **data):
    """Subject, headers and body of an event as the relay sends it."""
    headers = {
        event_messages.MESSAGE_ID: f"{journal}-{version}-{random.random()}",
        event_messages.JOURNAL: journal,
        event_messages.EVENT: name,
        event_messages.VERSION: str(version),
        event_messages.POSITION: str(version),
        event_messages.EPOCH: epoch,
    }
    plain = {"envelope": {"occurred_at": AT.isoformat()}, "name": name, "payload": data}
    return f"clientela.v1.{journal.partition('/')[0]}.7", headers, json.dumps(plain).encode()


async def publish(js, *told):
    """Publish messages in this order."""
    for subject, headers, body in told:
        await js.publish(subject, body, headers=headers)


@asynccontextmanager
async def subscribed(served, folder, **options):
    """A stream of its own and a subscriber of it that does not run yet."""
    async with stream(served.account().urls[0]) as js:
        await events_stream(js)
        kept = Ledger(folder / "ledger.db", **options)
        made = Subscriber(js, "ledger", kept.positions, kept.handle, kept.fetch)
        made.reader = kept.reader
        try:
            yield js, kept, made
        finally:
            kept.positions.close()


@asynccontextmanager
async def running(subscriber):
    """The subscriber at work."""
    await subscriber.bound()
    task = asyncio.create_task(subscriber.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reached(condition):
    """Return as soon as *condition* holds."""
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "it does not come to that"
        await asyncio.sleep(0.01)


async def settled(js):
    """Return as soon as the consumer has nothing left to do."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        info = await js.consumer_info("clientela", "ledger")
        if not (info.num_pending or info.num_ack_pending):
            return
        assert time.monotonic() < deadline, "messages are left"
        await asyncio.sleep(0.01)


def test_message_of_the_relay_is_read(codec_row):
    """
    What the relay makes of a stored event is what the SDK reads, field by field.
    """
    messages, row = codec_row
    made = messages.of(row, "2-b")
    read = event_in(made.headers, made.body)

    assert isinstance(read, Event)
    assert "2-b" == read.epoch
    assert (str(row.journal), row.version, row.event_id) == (
        read.journal,
        read.version,
        read.event_id,
    )
    assert row.name == f"{read.name}.v{read.schema_version}"
    assert (row.position, row.occurred_at) == (read.position, read.occurred_at)
    assert json.loads(row.body)["payload"] == read.data


@pytest.fixture
def codec_row():
    """Messages of one event class, and a stored event of it."""
    name = event_type(SignalRecorded).stored_name
    envelope = {"occurred_at": AT.isoformat(), "index": 0, "count": 1, "because": []}
    row = StoredEvent(
        journal=client_journal(ClientId("petra")),
        version=3,
        event_id="e-3",
        append_id="a-1",
        name=name,
        occurred_at=AT,
        recorded_at=AT,
        body=body_of(envelope, name, {}),
        hash="h",
        position=12,
    )
    codec = Codec([SignalRecorded])
    return EventMessages([SignalRecorded], codec, lambda _scope, text: Blind(text)), row


def test_message_without_its_event_announces_it(codec_row, monkeypatch):
    """
    An event too long for the bus is announced: journal and version are there, the rest is fetched.
    """
    messages, row = codec_row
    monkeypatch.setattr(event_messages, "BODY_BYTES_MAX", 10)
    made = messages.of(row, "2-b")
    read = event_in(made.headers, made.body)

    assert Announced("client/petra", 3) == read
    assert "2-b" == read.epoch


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (None, b"{}"),
        ({}, b"{}"),
        (message(PETRA, 1)[1], b"not json"),
        (message(PETRA, 1)[1], b"[]"),
        (message(PETRA, 1)[1], b"[" * 100_000),
        ({**message(PETRA, 1)[1], event_messages.VERSION: "next"}, message(PETRA, 1)[2]),
    ],
)
def test_message_of_somebody_else_is_malformed(headers, body):
    """
    What is no event of this stream is told apart from one.
    """
    with pytest.raises(MalformedMessageError):
        event_in(headers, body)


async def test_duplicates_and_disorder_have_each_effect_once(served, tmp_path):
    """
    G13, F16: messages duplicated, reordered and lost on the way: every effect once, in order.
    """
    order = random.Random(7)
    told = [
        message(journal, version)
        for journal in (PETRA, PAVEL)
        for version in range(1, 101)
        for _ in range(order.choice((0, 1, 1, 2, 3)))
    ]
    order.shuffle(told)
    told += [message(PETRA, 100), message(PAVEL, 100)]
    async with subscribed(served, tmp_path, stored=100) as (js, kept, made):
        await publish(js, *told)
        async with running(made):
            await reached(lambda: len(kept.effects()) + len(kept.effects(PAVEL)) >= 200)
            await settled(js)

        assert list(range(1, 101)) == kept.effects(PETRA)
        assert list(range(1, 101)) == kept.effects(PAVEL)


async def test_message_delayed_past_every_window_is_dropped(served, tmp_path):
    """
    F16: a message that comes again when the broker has forgotten it is dropped by its version.
    """
    async with subscribed(served, tmp_path) as (js, kept, made):
        await publish(js, message(PETRA, 1), message(PETRA, 2))
        async with running(made):
            await reached(lambda: [1, 2] == kept.effects())
            await publish(js, message(PETRA, 1))
            await settled(js)

        assert [1, 2] == kept.effects()


async def test_killed_between_commit_and_ack_applies_nothing_twice(served, tmp_path):
    """
    F10: what was committed and not acknowledged comes again and is found done.
    """
    async with subscribed(served, tmp_path) as (js, kept, made):
        await publish(js, *(message(PETRA, version) for version in range(1, 6)))
        first = await made.bound()
        batch = await first.fetch(5)
        await made.reader.take([event_in(each.headers, each.data) for each in batch])
        for each in batch:
            await each.nak()
        async with running(made):
            await settled(js)

        assert [1, 2, 3, 4, 5] == kept.effects()


async def test_poison_parks_one_journal_and_the_rest_goes_on(served, tmp_path):
    """
    G17: a poisoned event parks its journal after five tries; others are served meanwhile; nothing
    is delivered for ever.
    """
    async with subscribed(served, tmp_path, poison=(PETRA, 2)) as (js, kept, made):
        kept.reader._failures[PETRA] = FAILURES_MAX - 2
        await publish(js, *(message(j, v) for v in (1, 2, 3) for j in (PETRA, PAVEL)))
        async with running(made):
            await settled(js)
        parked = await kept.positions.parked()

        assert [1] == kept.effects(PETRA)
        assert [1, 2, 3] == kept.effects(PAVEL)
        assert [PETRA] == list(parked)


class SlowPositions:
    """Positions in a database that does not answer in time for a while."""

    def __init__(self, kept, times):
        self._kept = kept
        self.left = times

    def __getattr__(self, name):
        return getattr(self._kept, name)

    async def known(self, journals):
        if self.left:
            self.left -= 1
            raise TimeoutError
        return await self._kept.known(journals)


async def test_database_that_does_not_answer_in_time_is_told_of(served, tmp_path, caplog):
    """
    Never silent: a database that is too slow is no quiet stream; it is waited for and told of.
    """
    async with subscribed(served, tmp_path) as (js, kept, made):
        made.reader = Reader(SlowPositions(kept.positions, 1), kept.handle, kept.fetch)
        await publish(js, message(PETRA, 1))
        with caplog.at_level(logging.WARNING, logger="clientela.sdk"):
            async with running(made):
                await settled(js)

        assert [1] == kept.effects()
    assert "ledger waits: TimeoutError" in caplog.messages


async def test_message_comes_until_it_is_applied(served, tmp_path, monkeypatch):
    """
    Never lost: a message comes again however often a database is away, also to a consumer that was
    made with a bound.
    """
    async with subscribed(served, tmp_path) as (js, _, made):
        with monkeypatch.context() as patched:
            patched.setattr("clientela.sdk.subscriber.DELIVERIES_MAX", 7)
            await made.bound()
        before = await js.consumer_info("clientela", "ledger")
        await made.bound()
        after = await js.consumer_info("clientela", "ledger")

    assert (7, -1) == (before.config.max_deliver, after.config.max_deliver)


async def test_stream_of_a_restored_store_stops_the_subscriber(served, tmp_path):
    """
    F24: a stream rebuilt after a restore ends the subscriber with a reason before it applies,
    drops or acknowledges anything; under another name everything of the new life is applied.
    """
    async with subscribed(served, tmp_path) as (js, kept, made):
        await publish(js, *(message(PETRA, version) for version in (1, 2, 3)))
        async with running(made):
            await settled(js)
        await js.purge_stream("clientela")
        await publish(js, message(PETRA, 1, epoch="2-b"), message(PETRA, 2, epoch="2-b"))
        with pytest.raises(EpochChangedError):
            await made.run()
        left = await js.consumer_info("clientela", "ledger")
        assert [1, 2, 3] == kept.effects()
        assert 2 == left.num_ack_pending

        positions = SqlitePositions(tmp_path / "ledger.db", "anew")
        kept.positions.connection.execute("DELETE FROM effects")
        anew = Subscriber(js, "anew", positions, kept.handle, kept.fetch)
        anew.reader = Reader(positions, kept.handle, kept.fetch)
        async with running(anew):
            await reached(lambda: [1, 2] == kept.effects())
        positions.close()


async def test_message_that_is_no_event_is_dropped(served, tmp_path):
    """
    Somebody else's message on the subjects of events stops nobody.
    """
    async with subscribed(served, tmp_path) as (js, kept, made):
        await js.publish("clientela.v1.client.1", b"hello")
        await publish(js, message(PETRA, 1))
        async with running(made):
            await reached(lambda: [1] == kept.effects())
            await settled(js)

        assert [1] == kept.effects()


async def test_broker_killed_and_started_again_loses_nothing(tmp_path):
    """
    F8: the broker is killed under the subscriber and comes back; every event is applied once.
    """
    with broker(tmp_path / "broker") as own:
        async with subscribed(own, tmp_path) as (js, kept, made):
            await publish(js, *(message(PETRA, version) for version in range(1, 51)))
            async with running(made):
                await reached(lambda: 50 == len(kept.effects()))
                own.kill()
                own.start()
                await answering(js)
                await publish(js, *(message(PETRA, version) for version in range(40, 101)))
                await reached(lambda: 100 == len(kept.effects()))

            assert list(range(1, 101)) == kept.effects()
