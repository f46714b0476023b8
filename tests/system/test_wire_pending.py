"""
Time that is pending: due, shown by every read, and not yet on record.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from google.protobuf.message import Message

from clientela.domain.errors import UnknownError
from clientela.domain.ids import ClientId, client_journal
from clientela.services.clocks import VirtualClock
from clientela.services.operations import advance
from tests.system.story import AT, ONE_DAY, TOWN, Step, bought, receipt, step
from tests.system.town import PETRA, READS, town
from tests.system.wire import METHODS, Service


LATER = AT + 130 * ONE_DAY
"""By then whatever the shop lets time do is due in each of its journals."""

OF_THE_JOURNAL = {
    "GetTimeline",
    "ReadJournal",
    "ReadEvents",
    "GetStats",
    "CountStages",
    "GetStatus",
    "Verify",
}
"""Rpcs that tell of what is on record and of nothing else."""

EXPORTS = (step("ExportClient", client_id="petra"), step("Backtest", toml=TOWN))

CHANGES: Mapping[str, Step] = {
    "GetClient": step(
        "UpdateClient",
        client_id="petra",
        details={"given_name": "Pia"},
        update_mask={"paths": ["given_name"]},
    ),
    "GetOwnership": step("Approach", client_id="petra", employee_id="ivo", channel="phone"),
    "GetStage": step("SetStage", client_id="petra", model="care", stage="good", reason="x"),
    "GetBalance": step(
        "AdjustPoints",
        wallet_id="petra",
        adjustment=receipt("a-9"),
        points=5,
        reason="goodwill",
    ),
    "GetUnit": step("MoveUnit", unit_id="north", parent_id="south"),
    "GetEmployee": step("GrantRole", employee_id="marta", role="accountant"),
    "GetDefinitions": step("ApplyDefinitions", toml=TOWN.replace("= 60", "= 61")),
}
"""By the read that hands out an etag: a mutation that takes it."""


async def wait_for_time(service: Service) -> None:
    """Let time pass without anything being made of it."""
    clock = service.running.core.clock
    assert isinstance(clock, VirtualClock)
    clock.move(LATER)
    due = await service.running.core.store.due(LATER)
    names = ("lena", "pavel", "petra")
    assert {f"{kind}/{name}" for kind in ("client", "wallet") for name in names} == set(
        map(str, due)
    )


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[Service]:
    """The town, where everybody has bought something lately."""
    async with town(folder) as service:
        for number, client_id in enumerate(("petra", "lena", "pavel")):
            purchase = bought(client_id, f"late-{number}", 150)
            await service.wire.call(purchase.method, **purchase.fields)
        await service.running.core.follow_ups.catch_up()
        yield service


def answers(answer: Any) -> list[Any]:
    """*answer* and every message in it."""
    found = [answer]
    for field, value in answer.ListFields():
        for each in value if field.is_repeated else [value]:
            if isinstance(each, Message):
                found.extend(answers(each))
    return found


def versions(answer: Any) -> list[Any]:
    """Versions of journals that *answer* names as those it was read from."""
    return [
        version
        for each in answers(answer)
        if "versions" in each.DESCRIPTOR.fields_by_name
        for version in each.versions
        if "journal" in version.DESCRIPTOR.fields_by_name
    ]


def without_versions(answer: Any) -> Any:
    """*answer* without the versions of the journals it was read from."""
    for each in answers(answer):
        if versions(each) and "versions" in each.DESCRIPTOR.fields_by_name:
            each.ClearField("versions")
    return answer


async def test_every_read_answers_while_time_is_pending(tmp_path):
    """
    REC-3: whatever is read while time is pending on every journal is answered, as it is answered
    once the time is on record, and nothing is appended by it.
    """
    async with shop(tmp_path) as service:
        await wait_for_time(service)
        position = (await service.wire.call("GetStatus")).position

        pending = [await service.wire.call(each.method, **each.fields) for each in READS]
        for each in EXPORTS:
            assert await service.wire.stream(each.method, **each.fields)
        assert position == (await service.wire.call("GetStatus")).position

        await advance(service.running.core, LATER)
        assert position < (await service.wire.call("GetStatus")).position
        for each, before in zip(READS, pending, strict=True):
            after = await service.wire.call(each.method, **each.fields)
            if each.method not in OF_THE_JOURNAL:
                assert without_versions(after) == without_versions(before), each.method


async def test_versions_handed_out_while_time_is_pending_are_there(tmp_path):
    """
    What a read says it was read from is on record: another read may ask for at least that, and for
    what was known then.
    """
    async with shop(tmp_path) as service:
        await wait_for_time(service)
        handed: dict[str, Any] = {}
        for each in READS:
            answer = await service.wire.call(each.method, **each.fields)
            handed.update({str(v.journal): v for v in versions(answer)})
        known = list(handed.values())
        assert {"petra", "north", "marta"} <= {v.journal.id for v in known}

        asked = set()
        for each in READS:
            fields = METHODS[each.method].input_type.fields_by_name
            if "consistency" in fields:
                asked.add(each.method)
                least = {"at_least": known}
                await service.wire.call(each.method, **each.fields, consistency=least)
            if "as_of" in fields:
                as_of = {"known_at": {"versions": known}}
                await service.wire.call(each.method, **each.fields, as_of=as_of)
        assert {"GetClient", "GetOwnership", "GetStage", "GetBalance"} <= asked


@pytest.mark.parametrize("read", CHANGES)
async def test_etag_read_while_time_is_pending_is_taken(tmp_path, read):
    """
    Who read a moment ago may write, though what they read is not on record yet; who has the etag of
    before the time passed is refused if it has changed their part.
    """
    change = CHANGES[read]
    async with shop(tmp_path) as service:
        wire = service.wire
        [fields] = [each.fields for each in READS if each.method == read]
        stale = (await wire.call(read, **fields)).etag
        await wait_for_time(service)
        fresh = (await wire.call(read, **fields)).etag

        if stale != fresh:
            refused = await wire.refused(change.method, **change.fields, etag=stale)
            assert ("ABORTED", "ETAG_MISMATCH") == (refused.code, refused.reason)
        done = await wire.call(change.method, **change.fields, etag=fresh)

        assert done.outcome.events
        assert (stale != fresh) == (read in {"GetOwnership", "GetStage", "GetBalance"})


async def test_event_that_is_pending_is_not_on_record(tmp_path):
    """
    Reads of the journal itself tell of what is on record only.
    """
    async with shop(tmp_path) as service:
        await wait_for_time(service)
        told = await service.wire.call("ReadJournal", journal=PETRA, page_size=200)
        client = await service.wire.call("GetClient", client_id="petra")

        assert [told.events[-1].version] == [v.version for v in client.versions]


async def test_fact_that_is_pending_is_found_where_it_is_told_of(tmp_path):
    """
    What an answer refers to is found though it is not on record; without the answer it is not.
    """
    async with shop(tmp_path) as service:
        await wait_for_time(service)
        core = service.running.core
        view = await core.view(client_journal(ClientId("petra")))

        assert view.events
        for recorded in view.events:
            assert recorded is await core.event(recorded.ref, view)
            with pytest.raises(UnknownError):
                await core.event(recorded.ref)
