"""
Events followed and gaps fetched from a real service, without a message bus.
"""

from __future__ import annotations

import asyncio

import pytest

from clientela.adapters.bootstrap import serving
from clientela.adapters.settings import NO_BUS, Settings
from clientela.sdk import Reader, RefusedError, connect, follow, gaps_of, items
from clientela.sdk.course import Gap
from clientela.sdk.event import event_of
from clientela.v1.client_pb2 import RegisterClientRequest
from clientela.v1.common_pb2 import JOURNAL_KIND_CLIENT
from clientela.v1.event_pb2 import ReadEventsRequest
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
