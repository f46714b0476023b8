"""
The contract of a store of parked messages; every adapter passes all of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from clientela.domain.ids import Blind, ClientId, client_journal
from clientela.services.key_rows import KeyChanges
from clientela.services.parked import WAITING, ParkedMessage
from clientela.services.rows import Append
from tests.adapters.parked_stores import PARKED_STORES


AT = datetime(2026, 3, 2, 9, 0, 0, 123_456, tzinfo=UTC)
PETRA, PAVEL = "client/petra", "client/pavel"


def message(name, lane=PETRA, **fields):
    """A parked message that is told apart by its name."""
    return ParkedMessage(
        **{
            "id": name,
            "mark": Blind(f"mark-{name}"),
            "lane": lane,
            "kind": "purchase",
            "headers": {"x-correlation-id": "c-1"},
            "principal": '{"actor": "service/till"}',
            "reason": "NOT_FOUND",
            "problem": "no client petra",
            "parked_at": AT,
            "tried_at": AT,
            "tries": 1,
            "body": b"\x00sealed\xff",
            **fields,
        }
    )


@pytest.fixture(params=PARKED_STORES.values(), ids=list(PARKED_STORES))
async def parked(request, tmp_path):
    """An empty store of each kind."""
    async with request.param(tmp_path) as store:
        yield store


async def test_new_store_is_empty(parked):
    """
    Nothing is parked in a new store.
    """
    assert ([], [], 0) == (
        list(await parked.page()),
        list(await parked.heads()),
        await parked.count(),
    )
    assert frozenset() == await parked.lanes([PETRA])
    assert (await parked.get(1), await parked.drop(1)) == (None, False)


async def test_message_is_kept_whole(parked):
    """
    What is parked comes back field by field, with a number from 1.
    """
    assert await parked.park(message("first"))
    [kept] = await parked.page()

    assert attrs.evolve(message("first"), number=kept.number) == kept
    assert kept.number >= 1
    assert kept == await parked.get(kept.number)


async def test_message_is_kept_once_in_its_lane(parked):
    """
    F10: killed between parking and acknowledging, a message is parked again and there once; what
    says the same about somebody else is another one.
    """
    assert await parked.park(message("first"))
    assert not await parked.park(message("again", mark=Blind("mark-first")))
    assert await parked.park(message("other", PAVEL, mark=Blind("mark-first")))

    assert ["first", "other"] == [kept.id for kept in await parked.page()]


async def test_lanes_are_told_apart(parked):
    """
    G17: a lane is occupied while something is parked in it; others are not.
    """
    await parked.park(message("first"))
    [kept] = await parked.page()
    assert frozenset({PETRA}) == await parked.lanes([PAVEL, PETRA, "unread/'%_"])

    assert await parked.drop(kept.number)
    assert not await parked.drop(kept.number)
    assert frozenset() == await parked.lanes([PAVEL, PETRA])


async def test_lanes_tell_since_when_something_is_parked_in_them(parked):
    """
    Every lane is told once, in order, page by page, with the moment of its oldest message.
    """
    hour = timedelta(hours=1)
    await parked.park(message("late", parked_at=AT + hour))
    await parked.park(message("early"))
    await parked.park(message("other", PAVEL, parked_at=AT + 2 * hour))
    everything = [(PAVEL, AT + 2 * hour), (PETRA, AT)]

    assert everything == list(await parked.since())
    assert everything[:1] == list(await parked.since(limit=1))
    assert everything[1:] == list(await parked.since(PAVEL))
    assert [] == list(await parked.since(PETRA))


async def test_lane_is_dropped_whole_or_up_to_a_moment(parked):
    """
    What was parked before a moment goes, or everything of the lane; other lanes stay.
    """
    await parked.park(message("old"))
    await parked.park(message("new", parked_at=AT + timedelta(microseconds=1)))
    await parked.park(message("other", PAVEL))

    assert 0 == await parked.drop_lane(PETRA, AT)
    assert 1 == await parked.drop_lane(PETRA, AT + timedelta(microseconds=1))
    assert ["new", "other"] == [kept.id for kept in await parked.page()]
    assert 1 == await parked.drop_lane(PETRA)
    assert 0 == await parked.drop_lane(PETRA)
    assert ["other"] == [kept.id for kept in await parked.page()]


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
async def test_erasure_takes_the_lane_with_the_key(name, tmp_path):
    """
    G27: what is parked of a client goes in the transaction that destroys their key, whatever key
    it is sealed under; what is parked of others stays.
    """
    async with PARKED_STORES[name](tmp_path) as opened:
        parked: Any = opened
        await parked.park(message("first"))
        await parked.park(message("second"))
        await parked.park(message("other", PAVEL))
        keys = KeyChanges(forgotten=(client_journal(ClientId("petra")),))
        await parked._store.append(Append(expected={}, keys=keys))

        assert ["other"] == [kept.id for kept in await parked.page()]


async def test_heads_are_the_first_of_every_lane(parked):
    """
    The head of a lane is the message that came first; when it is gone, the next one is.
    """
    for name, lane in (("a", PETRA), ("b", PAVEL), ("c", PETRA), ("d", PAVEL)):
        await parked.park(message(name, lane, reason=WAITING))
    first, second = await parked.heads()
    assert ["a", "b"] == [first.id, second.id]
    assert [second] == list(await parked.heads(after=first.number))
    assert [first] == list(await parked.heads(limit=1))

    await parked.drop(first.number)
    assert ["b", "c"] == [head.id for head in await parked.heads()]


async def test_pages_come_in_order(parked):
    """
    Messages come in the order they were parked in, of one lane or of all, a page at a time.
    """
    for name, lane in (("a", PETRA), ("b", PAVEL), ("c", PETRA), ("d", PETRA)):
        await parked.park(message(name, lane))
    numbers = {kept.id: kept.number for kept in await parked.page()}

    assert ["a", "b", "c", "d"] == sorted(numbers, key=lambda name: numbers[name])
    assert ["b", "c"] == [m.id for m in await parked.page(numbers["a"], 2)]
    assert ["c", "d"] == [m.id for m in await parked.page(numbers["a"], 9, PETRA)]
    assert ["a"] == [m.id for m in await parked.page(0, 1, PETRA)]
    assert 4 == await parked.count()


async def test_another_try_is_noted(parked):
    """
    A try in vain changes reason, problem, time and count, and nothing else.
    """
    await parked.park(message("first"))
    [kept] = await parked.page()
    later = attrs.evolve(
        kept, reason="INTERNAL", problem="ValueError", tried_at=AT + timedelta(hours=1), tries=2
    )
    await parked.tried(later)

    assert [later] == list(await parked.page())


async def test_try_of_a_message_that_is_gone_brings_nothing_back(parked):
    """
    What was dropped meanwhile stays dropped.
    """
    await parked.park(message("first"))
    [kept] = await parked.page()
    await parked.drop(kept.number)
    await parked.tried(kept)

    assert [] == list(await parked.page())
