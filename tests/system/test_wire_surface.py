"""
Every rpc of every service, called over a real socket in a small story.
"""

from __future__ import annotations

from typing import Any

from clientela.v1 import client_pb2, common_pb2
from tests.system.parking import message, take
from tests.system.state import KEPT, state_of, tables_of
from tests.system.story import END, TOWN, Step, told
from tests.system.town import PETRA, READS, town
from tests.system.wire import METHODS, Service, is_mutation, served


OTHER_TABLES = {
    "audit",
    "leases",
    "migrations",
    "notes",
    "parked",
    "read_hashes",
    "read_models",
    "read_rows",
    "read_terms",
    "sqlite_sequence",
}
"""What is no part of the state that commands and time make."""

OF_A_BROKER = {"CheckStream", "RebuildStream"}
"""Answered where there is a broker only: see tests/e2e/test_events_out.py."""

NEW = {"RegisterClient", "RegisterUnit", "RegisterEmployee"}
"""What makes something new and so takes no etag."""


async def test_every_rpc_is_answered(tmp_path):
    """
    No rpc of any service is there only on paper.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        for each in READS:
            await wire.call(each.method, **each.fields)
        await wire.first("FollowEvents")
        await wire.stream("Backtest", version=1)
        await wire.stream("ExportClient", client_id="petra")
        await wire.call("RotateKeys")
        await wire.call("BackUp", path=str(tmp_path / "copy.db"))
        for each in END:
            await wire.call(each.method, **each.fields)
        await wire.call("RecordHistory", commands=[{}])
        await wire.call("ListParkedMessages")
        [number] = await take(service, message(service, "nobody", "1"))
        await wire.call("GetParkedMessage", number=number)
        await wire.call("ReplayParkedMessage", number=number)
        await wire.call("DropParkedMessage", number=number)

        assert set(METHODS) == wire.done | OF_A_BROKER


async def test_the_state_is_every_table_but_those_that_reading_writes(tmp_path):
    """
    A table that is added must be said to be state, or not.
    """
    async with served(tmp_path):
        assert OTHER_TABLES | set(KEPT) == tables_of(tmp_path)


async def test_a_trial_appends_nothing_and_answers_what_the_call_will(tmp_path):
    """
    validate_only decides with all rules and permissions, appends nothing, and tells what would be.
    """
    async with served(tmp_path, virtual_clock=True) as service:
        for each in (*told(), *END):
            if is_mutation(each.method):
                await check_trial(service, each)
            else:
                await service.wire.call(each.method, **each.fields)


async def check_trial(service: Service, each: Step) -> None:
    """Try a call, then make it."""
    before = state_of(service.folder)
    tried = await service.wire.call(each.method, validate_only=True, **each.fields)
    assert before == state_of(service.folder), each
    done = await service.wire.call(each.method, **each.fields)

    assert ([], "") == (list(tried.outcome.events), tried.outcome.etag)
    assert done.outcome.events, each
    assert list(done.outcome.versions) == list(tried.outcome.versions)
    assert without_what_is_recorded(done) == without_what_is_recorded(tried)


def without_what_is_recorded(answer: Any) -> Any:
    """An answer without what only something recorded has."""
    answer.ClearField("outcome")
    for field in ("purchase", "points_issued", "erased_at"):
        if field in answer.DESCRIPTOR.fields_by_name:
            answer.ClearField(field)
    return answer


async def test_a_repeat_gets_the_same_answer_and_changes_nothing(tmp_path):
    """
    The same request again, at the end of a quarter of a year, is answered as the first time.
    """
    async with served(tmp_path, virtual_clock=True) as service:
        wire, asked = service.wire, []
        for each in told():
            if is_mutation(each.method):
                request = wire.request(each.method, **each.fields)
                asked.append((each.method, request, await wire.send(each.method, request)))
            else:
                await wire.call(each.method, **each.fields)
        await service.running.core.follow_ups.catch_up()
        await wire.call("ApplyDefinitions", toml=TOWN.replace("worth_minor = 1", "worth_minor = 2"))
        before = state_of(tmp_path)
        for method, request, first in asked:
            again = await wire.send(method, request)
            assert again.outcome.replayed
            again.outcome.replayed = False
            assert first == again, method

        assert before == state_of(tmp_path)


async def test_an_etag_of_another_time_is_a_conflict(tmp_path):
    """
    Whoever has read something that changed since is told so, for every part of a record.
    """
    async with served(tmp_path, virtual_clock=True) as service:
        wire = service.wire
        for each in (*told(), *END):
            if is_mutation(each.method):
                before = state_of(tmp_path)
                refusal = await wire.refused(each.method, etag="stale", **each.fields)
                expected = (
                    ("INVALID_ARGUMENT", "INVALID_VALUE")
                    if each.method in NEW
                    else ("ABORTED", "ETAG_MISMATCH")
                )
                assert expected == (refusal.code, refusal.reason), each
                assert before == state_of(tmp_path)
            await wire.call(each.method, **each.fields)


async def test_the_etag_of_an_answer_is_good_for_the_next_call(tmp_path):
    """
    An etag holds until its own part of the record changes, whatever else does.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        read = await wire.call("GetClient", client_id="petra")
        await wire.call("RecordSignal", client_id="petra", signal="recommends", holds=False)
        mask = {"paths": ["market"]}
        fields = {"client_id": "petra", "details": {"market": "reseller"}, "update_mask": mask}
        first = await wire.call("UpdateClient", etag=read.etag, **fields)

        refusal = await wire.refused("UpdateClient", etag=read.etag, **fields)

        assert {"rule_set": "identity", "etag": first.outcome.etag} == refusal.metadata


LISTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("ListClients", "clients", {}),
    ("ListClients", "clients", {"standing": client_pb2.STANDING_CLIENT}),
    ("FindClients", "clients", {"name": "petr"}),
    ("GetTimeline", "entries", {"client_id": "petra", "with_wallet": True}),
    ("GetTimeline", "entries", {"client_id": "petra", "newest_first": True, "order": 2}),
    ("ListOwnershipSpells", "spells", {"client_id": "petra"}),
    ("ListOrphans", "orphans", {}),
    ("ListUnmatchedReturns", "returns", {}),
    ("ListUnmatchedReturns", "returns", {"client_id": "petra"}),
    ("ListStageVisits", "visits", {"client_id": "petra", "model": "care"}),
    ("ListCards", "cards", {"wallet_id": "lena"}),
    ("GetStatement", "movements", {"wallet_id": "petra"}),
    ("ListUnits", "units", {}),
    ("ListUnits", "units", {"parent_id": "head"}),
    ("ListEmployees", "employees", {"with_former": True}),
    ("ListDefinitionVersions", "versions", {}),
    ("ListPresets", "presets", {}),
    ("ReadJournal", "events", {"journal": PETRA}),
    ("ReadEvents", "events", {"journal_kinds": [common_pb2.JOURNAL_KIND_CLIENT]}),
)
"""Every list, with what it lists."""


async def test_pages_of_one_give_each_item_once(tmp_path):
    """
    A list read page by page is the list read at once.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        await wire.call("ApplyDefinitions", toml=TOWN.replace("per_minor = 100", "per_minor = 50"))
        for method, items, fields in LISTS:
            at_once = await wire.call(method, page_size=200, **fields)
            expected = list(getattr(at_once, items))
            assert len(expected) >= 1, method
            assert "" == at_once.next_page_token

            assert expected == await wire.pages(method, items, **fields), method


async def test_a_timeline_read_page_by_page_stays_as_it_was_at_the_first(tmp_path):
    """
    REC-2: what is written meanwhile neither shifts nor repeats an entry.
    """
    fields = {"client_id": "petra", "newest_first": True, "page_size": 3}
    async with town(tmp_path) as service:
        wire = service.wire
        expected = await wire.call("GetTimeline", client_id="petra", newest_first=True)
        first = await wire.call("GetTimeline", **fields)
        await wire.call("RecordSignal", client_id="petra", signal="recommends", holds=False)
        second = await wire.call("GetTimeline", page_token=first.next_page_token, **fields)

        assert list(expected.entries)[:6] == [*first.entries, *second.entries]


async def test_a_token_of_another_list_is_refused(tmp_path):
    """
    A page token goes with the request it was given for, and with nothing else.
    """
    async with town(tmp_path) as service:
        for each in READS:
            if "page_token" in METHODS[each.method].input_type.fields_by_name:
                fields = {**each.fields, "page_token": "AAAA"}
                refusal = await service.wire.refused(each.method, **fields)
                assert "PAGE_TOKEN_INVALID" == refusal.reason, each
