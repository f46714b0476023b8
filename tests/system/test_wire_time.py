"""
Both clocks, the past, and what happens while somebody listens, over a real socket.
"""

from __future__ import annotations

import asyncio

from typing import Any

from clientela.v1 import common_pb2
from tests.system.story import AT, ONE_DAY, told
from tests.system.town import PETRA, PETRAS_WALLET, READS, town
from tests.system.wire import METHODS, Wire, served


async def test_a_timeline_goes_by_either_clock(tmp_path):
    """
    REC-3: what was told late stands where it happened, or where it was told, as one asks.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        late = await wire.call(
            "RecordInteraction",
            client_id="petra",
            channel="visit",
            direction=1,
            purpose=2,
            kind="talk",
            occurred_at=AT - ONE_DAY,
        )
        ref = late.outcome.events[0]

        async def order(**fields: Any) -> list[int]:
            answer = await wire.call("GetTimeline", client_id="petra", page_size=200, **fields)
            return [entry.event.version for entry in answer.entries]

        recorded, occurred = await order(order=1), await order(order=2)
        assert sorted(occurred) == recorded
        assert ref.version in recorded[-2:]
        assert ref.version == occurred[0]
        long_ago = {"effective_at": AT - ONE_DAY}
        assert [ref.version] == await order(as_of=long_ago, names=["interaction-recorded"])
        assert recorded[:5] == await order(
            as_of={"known_at": {"versions": [{"journal": PETRA, "version": 5}]}}
        )
        assert recorded[::-1] == await order(newest_first=True)
        assert [ref.version] == (await order(names=["interaction-recorded"]))[-1:]


async def test_what_was_known_is_answered_at_any_version(tmp_path):
    """
    REC-3: a client, its stage, its owner and its points as they were known.
    """
    async with served(tmp_path, virtual_clock=True) as service:
        wire, past = service.wire, []
        for each in told():
            await wire.call(each.method, **each.fields)
            if each.method in {"RecordPurchase", "ReplaceOwner"}:
                past.append((await versions(wire), [await answers(wire)]))
        await service.running.core.follow_ups.catch_up()

        for known, [expected] in past:
            as_of = {"known_at": {"versions": known}}
            assert without_etags(expected) == await answers(wire, as_of=as_of)


async def versions(wire: Wire) -> list[Any]:
    """Versions of Petra's journals now."""
    client = await wire.call("GetClient", client_id="petra")
    balance = await wire.call("GetBalance", wallet_id="petra")
    return [*client.versions, *balance.versions]


async def answers(wire: Wire, **moment: Any) -> list[Any]:
    """Petra, at a moment."""
    fields = {"client_id": "petra", **moment}
    return [
        await wire.call("GetClient", **fields),
        await wire.call("GetOwnership", **fields),
        await wire.call("GetStage", model="care", **fields),
        await wire.call("GetBalance", wallet_id="petra", **moment),
    ]


def without_etags(found: list[Any]) -> list[Any]:
    """Answers about the past bear no etag."""
    for answer in found:
        answer.etag = ""
    return found


async def test_a_version_that_is_not_there_yet_is_refused(tmp_path):
    """
    Nobody is answered from before what they have written themselves, nor about the future.
    """
    ahead = [{"journal": PETRAS_WALLET, "version": 999}]
    async with town(tmp_path) as service:
        wire = service.wire
        for each in READS:
            if "consistency" in METHODS[each.method].input_type.fields_by_name:
                refusal = await wire.refused(
                    each.method, **each.fields, consistency={"at_least": ahead}
                )
                assert ("ABORTED", "VERSION_AHEAD") == (refusal.code, refusal.reason), each
                known = {"at_least": await versions(wire)}
                await wire.call(each.method, **each.fields, consistency=known)


async def test_who_looked_after_a_client_is_answered_at_any_moment(tmp_path):
    """
    OWN-9: the spell that covers a moment, whoever owns the client now.
    """
    async with town(tmp_path) as service:
        wire = service.wire

        async def owner(moment: Any) -> str:
            fields = {"client_id": "petra", "as_of": {"effective_at": moment}}
            return str((await wire.call("GetOwnership", **fields)).owner_id)

        assert ["", "marta", "ivo"] == [
            await owner(moment) for moment in (AT - ONE_DAY, AT, AT + 40 * ONE_DAY)
        ]


async def test_events_are_followed_from_any_position(tmp_path):
    """
    Whoever follows gets each event once, those that come while they listen included.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        before = (await wire.call("GetStatus")).position
        read = await wire.call("ReadEvents", page_size=200)
        follows = wire.first("FollowEvents", after_position=before)
        behind = await wire.first("FollowEvents", after_position=before - 1)
        following = asyncio.create_task(follows)
        await wire.call("RecordSignal", client_id="lena", signal="recommends")
        new = await following

        assert list(read.events)[-1] == behind.event
        assert ("signal-recorded", before + 1) == (new.event.name, new.position)


async def test_a_follower_of_what_does_not_happen_is_told_where_they_are(tmp_path, monkeypatch):
    """
    While nothing happens a position alone is sent.
    """
    monkeypatch.setattr("clientela.services.event_service.SILENCE_S_MAX", 0.0)
    async with town(tmp_path) as service:
        position = (await service.wire.call("GetStatus")).position
        kinds = [common_pb2.JOURNAL_KIND_DRAW]

        told_ = await service.wire.first("FollowEvents", journal_kinds=kinds)

        assert (False, position) == (told_.HasField("event"), told_.position)
