"""
Events followed and gaps fetched from a real service, without a message bus.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.adapters.bootstrap import serving
from clientela.adapters.settings import NO_BUS, Settings
from clientela.domain.ids import ClientId, client_journal
from clientela.sdk import EpochChangedError, Reader, RefusedError, connect, follow, gaps_of, items
from clientela.sdk.course import Gap
from clientela.sdk.event import event_of
from clientela.sdk.message import event_in
from clientela.services.event_messages import EventMessages
from clientela.v1.client_pb2 import RegisterClientRequest
from clientela.v1.common_pb2 import JOURNAL_KIND_CLIENT
from clientela.v1.event_pb2 import ReadEventsRequest
from clientela.v1.operation_pb2 import GetStatusRequest
from clientela.v1.purchase_pb2 import RecordPurchaseRequest
from tests.sdk.test_reader import Ledger


async def registered(client, *names):
    """Register clients."""
    for name in names:
        await client.clients.RegisterClient(RegisterClientRequest(client_id=name))


async def first(events, count):
    """The first events of those followed."""
    found = []
    async with asyncio.timeout(60):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    await events.aclose()
    return found


@pytest.fixture
async def served(tmp_path):
    """A service and a caller of it."""
    settings = Settings(data_dir=tmp_path, port=0, bus=NO_BUS)
    async with (
        serving(settings) as running,
        connect(running.target, actor="service/ledger") as client,
    ):
        yield client


async def stored(client):
    """Every event of a client's journal, as it is read page by page."""
    request = ReadEventsRequest(page_size=1, journal_kinds=[JOURNAL_KIND_CLIENT])
    listing = items(client.events.ReadEvents, request, lambda page: page.events)
    return [event_of(envelope) async for envelope in listing]


async def test_events_are_followed_from_a_position(served):
    """
    Events come in the order of commits, from a position on, those of other kinds left out.
    """
    await registered(served, "petra", "pavel")
    expected = await stored(served)

    assert expected == await first(follow(served, kinds=("client",)), len(expected))
    after = follow(served, expected[0].position, ("client",))
    assert expected[1:] == await first(after, len(expected) - 1)


async def test_gap_is_fetched_whole(served):
    """
    R14: what lies between two versions comes from the service, up to the last one missing.
    """
    await registered(served, "petra")
    expected = await stored(served)
    end = expected[-1].version
    fetch = gaps_of(served)

    assert expected == list(await fetch("client/petra", Gap(0, end + 5)))
    assert expected[:-1] == list(await fetch("client/petra", Gap(0, end - 1)))
    assert [] == list(await fetch("client/petra", Gap(end, end + 5)))
    with pytest.raises(RefusedError):
        await fetch("client/nobody", Gap(0, 1))


async def test_event_says_the_same_whichever_way_it_comes(tmp_path):
    """
    R14: ids of other systems are the same keyed hashes on the bus, in a gap that is fetched, and
    followed; who asks the service without `as_published` gets them as they are.
    """
    settings = Settings(data_dir=tmp_path, port=0, bus=NO_BUS)
    async with (
        serving(settings) as running,
        connect(running.target, actor="service/ledger") as client,
    ):
        await registered(client, "petra")
        request = RecordPurchaseRequest(client_id="petra")
        request.purchase.source, request.purchase.id = "till-7", "receipt-1"
        request.lines.add(line_id="1", sku="kettle", quantity=1)
        request.lines[0].net.currency_code, request.lines[0].net.units = "EUR", 12
        await client.purchases.RecordPurchase(request)
        core = running.core
        records = core.path.records
        made = EventMessages(records.rulebook.event_classes, records.codec, core.sessions.blind)
        rows = await core.store.read(client_journal(ClientId("petra")))
        told = [event_in(each.headers, each.body) for each in map(made.of, rows)]
        fetched = await gaps_of(client)("client/petra", Gap(0, rows[-1].version))
        followed = await first(follow(client, kinds=("client",)), len(rows))
        plain = await stored(client)

    assert told == list(fetched) == followed
    [bought] = [each for each in fetched if each.name == "purchase-recorded"]
    assert "receipt-1" not in str(bought.data)
    [asked] = [each for each in plain if each.name == "purchase-recorded"]
    assert "till-7:receipt-1" in str(asked.data)


async def test_life_of_the_store_is_told_with_every_event(served):
    """
    F24: events read, followed and fetched tell the same life of the store, as its status does.
    """
    await registered(served, "petra")
    status = await served.operations.GetStatus(GetStatusRequest())
    found = [
        *await first(follow(served, kinds=("client",)), 1),
        *await gaps_of(served)("client/petra", Gap(0, 1)),
    ]
    page = await served.events.ReadEvents(ReadEventsRequest())

    assert status.epoch
    assert {status.epoch} == {page.epoch, *(event.epoch for event in found)}


async def test_positions_of_another_life_are_not_followed(served):
    """
    F24: who knows a position of the life before a restore is refused before the first event.
    """
    await registered(served, "petra")
    with pytest.raises(EpochChangedError) as caught:
        await anext(follow(served, 1, epoch="0-lost"))

    assert ("EPOCH_CHANGED", "0-lost") == (caught.value.reason, caught.value.known)


async def test_reader_needs_no_bus(served, tmp_path):
    """
    The reader takes followed events as it takes messages: a gap before them is fetched.
    """
    await registered(served, "petra")
    expected = await stored(served)
    kept = Ledger(tmp_path / "ledger.db")
    kept.reader = Reader(kept.positions, kept.handle, gaps_of(served))
    await kept.reader.take([expected[-1], expected[-1]])
    effects = kept.effects("client/petra")
    kept.positions.close()

    assert [event.version for event in expected] == effects


async def test_caller_who_may_not_follow_is_told(tmp_path):
    """
    A refusal is no reason to call again.
    """
    settings = Settings(data_dir=tmp_path, port=0, bus=NO_BUS)
    async with (
        serving(settings) as running,
        connect(running.target, actor="client/petra") as client,
    ):
        with pytest.raises(RefusedError) as caught:
            await anext(follow(client))

    assert "ACCESS_DENIED" == caught.value.reason
