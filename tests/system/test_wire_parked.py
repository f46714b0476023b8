"""
Parked messages over a real socket, and on the command line.
"""

from __future__ import annotations

import asyncio
import json

from typer.testing import CliRunner

from clientela.adapters.cli.app import app
from tests.system.parking import message, take
from tests.system.wire import served


ANALYST = {"x-clientela-actor": "employee/anna", "x-clientela-roles": "analyst"}


async def stuck(service):
    """Two messages of a client who is not registered, and one that nobody can read."""
    await take(service, message(service, "petra", "1"), message(service, "petra", "2"))
    return await take(service, message(service, "", "3"))


async def test_parked_messages_are_listed_page_by_page(tmp_path):
    """
    G17: operators see every parked message with its reason, without what it says.
    """
    async with served(tmp_path) as service:
        numbers = await stuck(service)
        page = await service.wire.call("ListParkedMessages", page_size=2)
        rest = await service.wire.call(
            "ListParkedMessages", page_size=2, page_token=page.next_page_token
        )
        own = await service.wire.call("ListParkedMessages", client_id="petra")

        listed = [*page.messages, *rest.messages]
        assert numbers == [each.number for each in listed]
        assert ["NOT_FOUND", "WAITING", "INVALID_VALUE"] == [each.reason for each in listed]
        assert ["petra", "petra", ""] == [each.client_id for each in listed]
        assert {"service/inbox"} == {each.sender for each in listed}
        assert {30} == {_days_kept(each) for each in listed}
        assert numbers[:2] == [each.number for each in own.messages]
        assert "" == rest.next_page_token


def _days_kept(told):
    """Days after which a message is dropped untried."""
    return (told.kept_until.ToDatetime() - told.parked_at.ToDatetime()).days


async def test_message_of_a_client_is_kept_until_somebody_sees_to_it(tmp_path):
    """
    Only what is of nobody registered has an end of its own: others' messages go with them.
    """
    async with served(tmp_path) as service:
        await stuck(service)
        await service.wire.call("RegisterClient", client_id="petra")
        own = await service.wire.call("ListParkedMessages", client_id="petra")

        assert [False, False] == [each.HasField("kept_until") for each in own.messages]


async def test_parked_message_is_shown_with_what_it_says(tmp_path):
    """
    G17: what a parked message says is shown to who may see personal values, and is audited.
    """
    async with served(tmp_path) as service:
        [number, *_] = await stuck(service)
        shown = await service.wire.call("GetParkedMessage", number=number)

        assert "petra" == json.loads(shown.body)["clientId"]
        assert ("purchase", "NOT_FOUND") == (shown.message.kind, shown.message.reason)
        rows = await service.audited()
        assert "read" in {decision for _, method, _, decision, _ in rows if "Parked" in method}


async def test_replay_carries_out_a_lane_once_its_cause_is_mended(tmp_path):
    """
    G17: replayed in vain a message stays; once the client is registered, the whole lane is carried
    out, and a second replay finds nothing.
    """
    async with served(tmp_path) as service:
        first, second, _ = await stuck(service)
        vain = await service.wire.call("ReplayParkedMessage", number=second)
        assert (0, first) == (vain.replayed, vain.stuck.number)
        assert 2 == vain.stuck.tries
        await service.wire.call("RegisterClient", client_id="petra")
        done = await service.wire.call("ReplayParkedMessage", number=first)

        assert 2 == done.replayed
        assert not done.HasField("stuck")
        purchase = await service.wire.call("GetPurchase", purchase={"source": "till", "id": "2"})
        assert "petra" == purchase.client_id
        gone = await service.wire.refused("ReplayParkedMessage", number=first)
        assert "NOT_FOUND" == gone.reason


async def test_dropped_message_is_gone(tmp_path):
    """
    A dropped message is parked no more; a second drop says that it is not there.
    """
    async with served(tmp_path) as service:
        *_, last = await stuck(service)
        await service.wire.call("DropParkedMessage", number=last)
        gone = await service.wire.refused("DropParkedMessage", number=last)
        malformed = await service.wire.refused("DropParkedMessage", number=-1)
        listed = await service.wire.call("ListParkedMessages")

        assert ("NOT_FOUND", "INVALID_VALUE") == (gone.reason, malformed.reason)
        assert 2 == len(listed.messages)


async def test_parked_messages_are_for_operators(tmp_path):
    """
    OWN-15: who runs no database neither sees parked messages nor carries them out.
    """
    async with served(tmp_path) as service:
        [number, *_] = await stuck(service)
        for method, fields in (
            ("ListParkedMessages", {}),
            ("GetParkedMessage", {"number": number}),
            ("ReplayParkedMessage", {"number": number}),
            ("DropParkedMessage", {"number": number}),
        ):
            refused = await service.wire.acting(ANALYST).refused(method, **fields)
            assert "ACCESS_DENIED" == refused.reason


async def test_erased_client_leaves_no_parked_message(tmp_path):
    """
    G27: with a client's key goes what was parked of them, and nothing more of them is parked.
    """
    async with served(tmp_path) as service:
        await service.wire.call("RegisterClient", client_id="petra", details={"name": "Petra"})
        first = message(service, "petra", "1")
        *_, number = await take(service, first, message(service, "petra", "1", euros=8))
        await service.wire.call("EraseClient", client_id="petra", act="act-1")
        gone = await service.wire.refused("GetParkedMessage", number=number)

        assert "NOT_FOUND" == gone.reason
        assert [] == await take(service, message(service, "petra", "3"))


def run(folder, *arguments):
    """What a verb says, and how it ended."""
    said = CliRunner().invoke(app, ["parked", *map(str, arguments), "--data-dir", str(folder)])
    return said.exit_code, said.stdout


async def fill(folder):
    """A data folder with parked messages, served no more."""
    async with served(folder) as service:
        return await stuck(service)


def test_verbs_list_show_replay_and_drop(tmp_path):
    """
    G17: `clientela parked` lists, shows, replays and drops, with exit code 5 while something still
    waits.
    """
    first, second, unread = asyncio.run(fill(tmp_path))
    code, listed = run(tmp_path, "list", "-o", "json")
    assert (0, [first, second, unread]) == (code, [int(m["number"]) for m in json.loads(listed)])
    assert all(each["kept_until"] for each in json.loads(listed))
    code, table = run(tmp_path, "list", "--client", "petra")
    assert 0 == code
    assert "2 of nobody registered are dropped 30 days after they were parked" in table
    assert "NOT_FOUND" in table
    assert "INVALID_VALUE" not in table
    code, shown = run(tmp_path, "show", first, "-o", "json")
    assert 0 == code
    assert "petra" == json.loads(json.loads(shown)["body"])["clientId"]
    assert '"clientId"' in run(tmp_path, "show", first)[1]
    code, told = run(tmp_path, "replay", "--all")
    assert 5 == code
    assert f"{first} still waits: NOT_FOUND" in told
    assert f"{unread} still waits: INVALID_VALUE" in told
    assert (0, f"{unread} is dropped.\n") == run(tmp_path, "drop", unread)
    assert 1 == run(tmp_path, "drop", unread)[0]
    assert 2 == run(tmp_path, "replay")[0]
