"""
Export, erasure, trials of definitions and the care of the store, over a real socket.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3

from contextlib import closing
from typing import Any

from clientela.domain.identity.profile import EraseClient
from clientela.domain.ids import ClientId, Code, JournalId
from clientela.services import client_service
from clientela.services.calls import Call
from clientela.services.core import Core, Told
from clientela.services.follow_ups import PARKED
from clientela.services.translate.opening import Opening
from tests.system.state import state_of
from tests.system.story import END, LENA_CARD, PETRA_MAIL, PETRA_NAME, PETRA_PHONE, TOWN
from tests.system.town import READS, town
from tests.system.wire import Service, Wire, served


DEARER = TOWN.replace("per_minor = 100", "per_minor = 200")
"""Definitions under which points are earned half as fast."""


async def test_an_export_is_the_client_everything_that_happened_and_a_summary(tmp_path):
    """
    Everything kept about a client, personal values opened; a summary says that it is whole.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        client = await wire.call("GetClient", client_id="petra")
        fields = {"client_id": "petra", "with_wallet": True, "page_size": 200}
        timeline = await wire.call("GetTimeline", **fields)

        first, *entries, last = await wire.stream("ExportClient", client_id="petra")

        assert client.details == first.client.details
        assert list(client.identifiers) == list(first.client.identifiers)
        assert list(first.client.versions) == list(last.summary.versions)
        assert list(timeline.entries) == [part.entry for part in entries]
        assert len(entries) == last.summary.entries
        opened = {value.text for part in entries for value in part.entry.opened}
        assert {PETRA_NAME, PETRA_PHONE, PETRA_MAIL, "Likes tea.", "Wrong tea."} <= opened


async def test_an_erased_client_is_an_id_and_figures(tmp_path):
    """
    Erasure leaves stages, points and sums as they were, and nobody to be found.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        before = await figures(wire)
        for each in END:
            await wire.call(each.method, **each.fields)

        client = await wire.call("GetClient", client_id="petra")
        parts = await wire.stream("ExportClient", client_id="petra")
        found = [
            await wire.call("FindClients", name="Petra"),
            await wire.call("FindClients", identifier={"kind": "phone", "text": PETRA_PHONE}),
            await wire.call("FindClients", identifier={"kind": "email", "text": PETRA_MAIL}),
        ]

        assert before == await figures(wire)
        assert (False, 0) == (client.HasField("details"), len(client.identifiers))
        assert client.HasField("erased_at")
        assert [] == [value for part in parts for value in part.entry.opened]
        assert [[], [], []] == [list(answer.clients) for answer in found]
        assert PETRA_NAME not in str(parts)


async def test_an_export_shows_nothing_of_who_is_erased_meanwhile(tmp_path, monkeypatch):
    """
    S8: an erasure holds within a minute for an export under way as well, however slowly it is
    taken; what is left of the export is ids and figures.
    """
    opening, asked = Core.opening, 0
    monkeypatch.setattr(client_service, "OPENING_S", 0.0)
    async with town(tmp_path) as service:
        wire = service.wire

        async def crossed(self: Core, *persons: JournalId, told: Told | None = None) -> Opening:
            nonlocal asked
            asked += told is None
            if asked == 2:
                erasure = EraseClient(client_id=ClientId("petra"), act=Code("7"))
                await self.path.execute(erasure, Call())
            return await opening(self, *persons, told=told)

        with monkeypatch.context() as patched:
            patched.setattr(Core, "opening", crossed)
            first, *entries, last = await wire.stream("ExportClient", client_id="petra")

    assert PETRA_NAME == first.client.details.name
    assert asked == len(entries) + 1
    assert [] == [value for part in entries for value in part.entry.opened]
    assert len(entries) == last.summary.entries


async def figures(wire: Wire) -> list[Any]:
    """Petra's stage, points and purchases, and the sums of the shop."""
    stats = await wire.call("GetStats")
    stats.erased = 0
    balance = await wire.call("GetBalance", wallet_id="petra")
    stage = await wire.call("GetStage", client_id="petra", model="care")
    purchase = await wire.call("GetPurchase", purchase={"source": "till", "id": "1"})
    return [stats, balance.points, balance.totals, stage.stage, stage.since, purchase]


async def test_a_backtest_under_the_same_definitions_differs_in_nothing(tmp_path):
    """
    What rules and time made is made again to the letter.
    """
    async with town(tmp_path) as service:
        for candidate in ({"version": 1}, {"toml": TOWN}):
            [end] = await service.wire.stream("Backtest", **candidate)
            assert (0, True) == (end.summary.differences, end.summary.events > 0)


async def test_a_backtest_under_other_definitions_lists_what_would_differ(tmp_path):
    """
    Points issued at another rate are the difference, and nothing is changed by asking.
    """
    async with town(tmp_path) as service:
        before = state_of(tmp_path)
        *parts, end = await service.wire.stream("Backtest", toml=DEARER)
        of_pavel = await service.wire.stream("Backtest", toml=DEARER, client_ids=["pavel"])

        names = {part.difference.name for part in parts}
        assert len(parts) == end.summary.differences
        assert "points-issued" in names
        assert {"pavel"} == {part.difference.journal.id for part in of_pavel[:-1]}
        assert before == state_of(tmp_path)


async def test_a_backtest_of_a_client_nobody_knows_is_refused(tmp_path):
    """
    A client or version that is not there is said to be missing, not tried without.
    """
    async with town(tmp_path) as service:
        client = await service.wire.refused("Backtest", version=1, client_ids=["nobody"])
        version = await service.wire.refused("Backtest", version=99)

        assert {"kind": "client", "id": "nobody"} == client.metadata
        assert {"kind": "definition version", "id": "99"} == version.metadata


async def test_a_store_agrees_with_itself_while_somebody_writes(tmp_path):
    """
    G5: hashes, states, due moments and read models are what the journal comes to.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        checks = []
        for number in range(20):
            signal = {"client_id": "lena", "signal": "recommends", "holds": bool(number % 2)}
            checks.append(wire.call("Verify"))
            checks.append(wire.call("RecordSignal", **signal))
        answered = await asyncio.gather(*checks)

        assert [[]] * 20 == [list(answer.problems) for answer in answered[::2]]


async def test_a_changed_row_is_found(tmp_path):
    """
    G5: whoever changes history in the file is told of by the hashes.
    """
    async with town(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "clientela.db")) as connection, connection:
        connection.execute(
            "UPDATE events SET occurred_at = occurred_at + 1, hash = 'x' WHERE position = 9"
        )
    async with served(tmp_path) as service:
        found = await service.wire.call("Verify")

        assert found.problems


async def test_everything_opens_after_the_keys_are_replaced(tmp_path):
    """
    S9: another key-encryption key, while serving and after a start.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        before = await opened(wire)
        rotated = [(await wire.call("RotateKeys")).rewrapped for _ in range(2)]
        persons = len({"petra", "pavel", "lena", "boss", "ivo", "marta", "nora", "olaf"})

        assert [persons, persons] == rotated
        assert before == await opened(wire)
        await wire.call(
            "UpdateClient",
            client_id="lena",
            details={"name": "Lena"},
            update_mask={"paths": ["name"]},
        )
    async with served(tmp_path) as service:
        assert before == await opened(service.wire)
        lena = await service.wire.call("GetClient", client_id="lena")
        assert "Lena" == lena.details.name


async def opened(wire: Wire) -> list[Any]:
    """Personal values of everybody."""
    petra = await wire.call("GetClient", client_id="petra")
    staff = await wire.call("ListEmployees", with_former=True)
    cards = await wire.call("ListCards", wallet_id="lena")
    assert (PETRA_NAME, f"{LENA_CARD}1") == (petra.details.name, cards.cards[0].number)
    return [petra, list(staff.employees), list(cards.cards)]


async def test_a_copy_serves_as_well_as_the_store(tmp_path):
    """
    A backup with the key file beside it is a store with everything in it, in another life.
    """
    store, copy = tmp_path / "store", tmp_path / "copy"
    copy.mkdir()
    async with town(store) as service:
        position = (await service.wire.call("BackUp", path=str(copy / "clientela.db"))).position
        expected = await told_by(service)
        epoch = (await service.wire.call("ReadEvents", page_size=1)).epoch
        again = await service.wire.refused("BackUp", path=str(copy / "clientela.db"))
        assert ("INVALID_ARGUMENT", ("path",)) == (again.code, again.fields)
    shutil.copy(store / "keys.json", copy)
    async with served(copy) as service:
        assert position == (await service.wire.call("GetStatus")).position
        assert expected == await told_by(service)
        assert epoch != (await service.wire.call("ReadEvents", page_size=1)).epoch
        assert [] == list((await service.wire.call("Verify")).problems)


async def told_by(service: Service) -> list[Any]:
    """What a store answers, but for what is of the process, and for which life of it this is."""
    asked = [each for each in READS if each.method not in {"GetStatus", "Verify"}]
    answers = [await service.wire.call(each.method, **each.fields) for each in asked]
    for answer in answers:
        if "epoch" in answer.DESCRIPTOR.fields_by_name:
            answer.ClearField("epoch")
    return answers


async def test_what_is_parked_is_shown(tmp_path):
    """
    Design 2: events whose follow-ups were refused or failed too often are named by the status, and
    by the check, which does not take them for faults.
    """
    async with town(tmp_path) as service:
        await service.running.core.store.note(PARKED, "3 17")

        status = await service.wire.call("GetStatus")
        found = await service.wire.call("Verify")

        assert [3, 17] == list(status.parked_follow_ups) == list(found.parked_follow_ups)
        assert [] == list(found.problems)
