"""
The guard over a real socket: nothing leaves that was not meant to.
"""

from __future__ import annotations

import ast
import asyncio
import random

from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from clientela.adapters.memory import MemoryStore
from clientela.domain.errors import UnknownError
from clientela.domain.event import Actor, ActorKind
from clientela.domain.ids import PrincipalId, Ref, UnitId, client_journal
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.services.access import CallClass
from clientela.services.admission import ROOMS, Room
from clientela.services.deadline import DeadlineRules
from clientela.services.principal import Grant, Principal
from clientela.services.store_errors import StoreUnavailableError, StoreUnsuitableError
from clientela.v1.client_pb2 import Client, ClientSummary, Details, ListClientsResponse
from clientela.v1.event_pb2 import FollowEventsResponse
from clientela.v1.ownership_pb2 import ApproachRequest, GetOwnershipRequest, Ownership
from tests.services.edge import (
    AT,
    METHODS,
    NORA,
    PETRA,
    SOUTH,
    TILL,
    Refusal,
    as_employee,
    edge,
    request_of,
)


class UnwritableStore(MemoryStore):
    """A store that takes no audit rows."""

    async def write_audit(self, rows):
        raise StoreUnavailableError


IVAN = "Ivan Ivanov +7 916 123-45-67"
ROUNDS = 60
"""Bodies of random bytes for every rpc."""

ALLOWED = {"OK", "INVALID_ARGUMENT", "NOT_FOUND"}


async def outcome(served, name, body):
    """Code and text that a call of the rpc of this name comes to."""
    try:
        await served.call(name, body)
    except grpc.aio.AioRpcError as error:
        return error.code().name, error.details()
    return "OK", ""


async def test_an_answer_passes_unchanged():
    """
    What a servicer answers is what its caller gets.
    """
    async with edge() as served:
        served.stage.answers["GetOwnership"] = lambda _: Ownership(client_id="petra")

        answer = await served.call("GetOwnership", GetOwnershipRequest(client_id="petra"))

        assert Ownership(client_id="petra") == answer


@pytest.mark.parametrize("name", METHODS)
async def test_random_bytes_are_invalid_arguments(name):
    """
    G18: no bytes whatever bring UNKNOWN or INTERNAL out of any rpc, and few reach a servicer.
    """
    dice = random.Random(f"bytes of {name}")
    async with edge() as served:
        for _ in range(ROUNDS):
            body = dice.randbytes(dice.choice((1, 3, 20, 300)))
            code, text = await outcome(served, name, body)
            assert code in ALLOWED
            assert "Error" not in text


@pytest.mark.parametrize("name", ["GetOwnership", "FollowEvents"])
async def test_a_fault_is_internal_with_a_reference_and_no_text(name, caplog):
    """
    R19: what nobody foresaw leaves as INTERNAL; neither caller nor log learns its text.
    """
    async with edge() as served:
        served.stage.answers[name] = lambda _: ValueError(IVAN)

        refusal = await served.refused(name, request_of(name))

        expected = Refusal("INTERNAL", "internal error", "INTERNAL", {"reference": "fresh-2"})
        assert expected == refusal
        assert "fresh-2" in caplog.text
        assert "ValueError" in caplog.text
        assert "Ivan" not in caplog.text


async def test_a_fault_in_the_middle_of_a_stream_is_internal_too():
    """
    R19: a stream that breaks ends like any other call.
    """
    async with edge() as served:
        served.stage.answers["FollowEvents"] = lambda _: [
            FollowEventsResponse(),
            RuntimeError(IVAN),
        ]

        refusal = await served.refused("FollowEvents")

        assert ("INTERNAL", "internal error") == (refusal.code, refusal.text)


async def test_an_answer_that_cannot_be_encoded_is_internal():
    """
    R19: encoding happens inside the guard.
    """
    async with edge() as served:
        served.stage.answers["GetOwnership"] = lambda _: "not a message"

        assert "INTERNAL" == (await served.refused("GetOwnership")).code


async def test_an_own_timeout_of_something_inside_is_no_deadline():
    """
    R19: a TimeoutError of the service's own is a fault, not the caller's deadline.
    """
    async with edge() as served:
        served.stage.answers["GetOwnership"] = lambda _: TimeoutError("lock")

        assert "INTERNAL" == (await served.refused("GetOwnership")).code


async def test_an_rpc_nobody_wrote_is_unimplemented():
    """
    R19: a servicer without the method answers UNIMPLEMENTED, with details like everything.
    """
    async with edge() as served:
        served.stage.answers["GetOwnership"] = lambda _: NotImplementedError("soon")

        assert "UNIMPLEMENTED" == (await served.refused("GetOwnership")).code


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            StoreUnavailableError(IVAN),
            ("UNAVAILABLE", "STORE_UNAVAILABLE", 1.0),
        ),
        (
            StoreUnsuitableError(IVAN),
            ("FAILED_PRECONDITION", "STORE_UNSUITABLE", None),
        ),
        (UnknownError("client", "petra"), ("NOT_FOUND", "NOT_FOUND", None)),
    ],
)
async def test_errors_leave_as_the_table_says(error, expected):
    """
    R19: every error has its code, its reason, and a time to try again where that helps.
    """
    async with edge() as served:
        served.stage.answers["GetOwnership"] = lambda _: error

        refusal = await served.refused("GetOwnership")

        assert expected == (refusal.code, refusal.reason, refusal.retry_seconds)
        assert "Ivan" not in refusal.text


async def test_a_refused_approach_tells_rule_and_whether_to_ask_and_not_the_owner():
    """
    OWN-6: the second seller learns why, until when and what to do, and not who was first.
    """
    taken = ClientTakenError(
        NORA,
        UnitId("south"),
        rule="OWN-6",
        may_request=True,
        because=(Ref(client_journal(PETRA), 3),),
        until=AT,
    )
    async with edge() as served:
        served.stage.answers["Approach"] = lambda _: taken

        refusal = await served.refused(
            "Approach",
            ApproachRequest(client_id="petra", employee_id="marta"),
            as_employee("marta"),
        )

        expected = Refusal(
            code="FAILED_PRECONDITION",
            text="another unit looks after this client",
            reason="CLIENT_TAKEN",
            metadata={"rule": "OWN-6", "until": AT.isoformat(), "may_request": "true"},
            rules=("OWN-6",),
        )
        assert expected == refusal
        assert NORA not in str(refusal)
        assert SOUTH not in str(refusal)


async def test_a_name_of_four_thousand_bytes_comes_back_cut():
    """
    An error never grows past what callers take as metadata, whatever was sent.
    """
    async with edge() as served:
        served.stage.answers["GetOwnership"] = lambda r: UnknownError("client", r.client_id)

        refusal = await served.refused("GetOwnership", GetOwnershipRequest(client_id="ж" * 2048))

        assert "NOT_FOUND" == refusal.code
        assert max(len(refusal.text), len(refusal.metadata["id"])) <= 256


async def test_a_call_past_its_deadline_is_ended():
    """
    R17: a call that brings no deadline gets one, and is ended at it.
    """
    ended = asyncio.Event()

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with edge(deadlines=DeadlineRules(missing_seconds=0.1)) as served:
        served.stage.answers["GetOwnership"] = lambda _: endless()

        refusal = await served.refused("GetOwnership", seconds=None)

        assert ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED") == (refusal.code, refusal.reason)
        assert ended.is_set()


async def test_a_stream_past_its_deadline_is_ended():
    """
    R17: a stream has a deadline too.
    """
    rules = DeadlineRules(stream_seconds_max=0.1)
    async with edge(deadlines=rules) as served:
        served.stage.answers["FollowEvents"] = lambda _: asyncio.Event().wait()

        assert "DEADLINE_EXCEEDED" == (await served.refused("FollowEvents")).code


async def test_a_call_with_no_room_left_is_refused_with_a_time_to_try_again():
    """
    R18: so many at once, so many waiting, the rest refused at once; other classes go on.
    """
    leave = asyncio.Event()

    async def occupied():
        await leave.wait()
        return Ownership()

    rooms = {**ROOMS, CallClass.READ: Room(running_max=1, waiting_max=0)}
    async with edge(rooms=rooms) as served:
        served.stage.answers["GetOwnership"] = lambda _: occupied()
        first = asyncio.create_task(served.call("GetOwnership"))
        await served.stage.arrived.wait()

        refusal = await served.refused("GetClient")
        command = await served.call("Approach")
        leave.set()

        assert ("RESOURCE_EXHAUSTED", "OVERLOADED", 0.25) == (
            refusal.code,
            refusal.reason,
            refusal.retry_seconds,
        )
        assert type(command).__name__ == "ApproachResponse"
        assert Ownership() == await first


async def test_a_stream_that_its_caller_leaves_gives_its_room_back():
    """
    R18: room is never lost to a caller who goes away in the middle.
    """
    rooms = {**ROOMS, CallClass.STREAM: Room(running_max=1, waiting_max=0)}
    async with edge(rooms=rooms) as served:
        follow: Any = served.channel.unary_stream(METHODS["FollowEvents"].path)
        for round_ in range(5):
            served.stage.ended.clear()
            served.stage.answers["FollowEvents"] = lambda _: [
                FollowEventsResponse(),
                asyncio.Event().wait(),
            ]
            stream = follow(b"", timeout=60, metadata=tuple(TILL.items()))
            await stream.read()
            stream.cancel()
            await served.stage.ended.wait()

            assert round_ + 1 == len(served.stage.seen)


async def test_personal_values_are_emptied_for_who_may_not_see_them():
    """
    OWN-7: an analyst reads the client without the name, whatever the servicer put there.
    """
    ivan = Client(client_id="pavel")
    ivan.details.name = IVAN
    ivan.identifiers.add(kind="phone", text="+79161234567")
    async with edge() as served:
        served.stage.answers["GetClient"] = lambda _: ivan

        answer = await served.call(
            "GetClient", request_of("GetClient", client_id="pavel"), as_employee("anna")
        )

        expected = Client(client_id="pavel", personal_withheld=True)
        expected.details.SetInParent()
        expected.identifiers.add(kind="phone")
        assert expected == answer
        assert [] == await served.audited()


class Blind:
    """A service that may read clients and not their personal values."""

    is_for_trials = True

    def authenticate(self, _credentials):
        grants = (Grant(METHODS["GetClient"].permission),)
        return Principal(actor=Actor(ActorKind.SERVICE, PrincipalId("site")), grants=grants)


async def test_a_service_sees_personal_values_by_a_permission_of_its_own():
    """
    S3: to read clients is one thing, to read their names another.
    """
    async with edge(authenticator=Blind()) as served:
        served.stage.answers["GetClient"] = lambda _: Client(
            client_id="petra", details=Details(name=IVAN)
        )

        answer = await served.call("GetClient", request_of("GetClient", client_id="petra"))

        assert ("", True) == (answer.details.name, answer.personal_withheld)


async def test_a_read_of_personal_values_is_audited_before_it_is_answered():
    """
    G30: who saw personal values of whom is on record; if it cannot be, nobody sees them.
    """
    async with edge() as served:
        served.stage.answers["GetClient"] = lambda _: Client(client_id="petra")

        await served.call(
            "GetClient", request_of("GetClient", client_id="petra"), as_employee("marta")
        )

        row = ("employee/marta", "clientela.v1.ClientService.GetClient", "client/petra", "read", "")
        assert [row] == await served.audited()


async def test_a_list_of_personal_values_is_audited_with_everyone_in_it():
    """
    G30: a page of clients is one row that names them all.
    """
    page = ListClientsResponse(
        clients=[ClientSummary(client_id="petra"), ClientSummary(client_id="lena")]
    )
    async with edge() as served:
        served.stage.answers["ListClients"] = lambda _: page

        await served.call("ListClients", caller=as_employee("marta"))

        (row,) = await served.audited()
        assert "client/petra client/lena" == row[2]


async def test_a_command_is_left_to_the_command_path_and_a_trial_of_it_is_not():
    """
    G30: exactly one row per call: the command path writes those that append.
    """
    async with edge() as served:
        await served.call("UpdateClient", request_of("UpdateClient", client_id="petra"))
        after_command = await served.audited()
        await served.call(
            "UpdateClient", request_of("UpdateClient", client_id="petra", validate_only=True)
        )

        assert [] == after_command
        assert ["read"] == [row[3] for row in await served.audited()]


async def test_no_audit_no_answer():
    """
    S14: personal values are not shown while their reading cannot be noted.
    """
    async with edge(store=UnwritableStore()) as served:
        refusal = await served.refused("GetClient", request_of("GetClient", client_id="petra"))

        assert "UNAVAILABLE" == refusal.code


async def test_a_servicer_is_told_who_calls():
    """
    REC-4: actor, unit, correlation and whom a service stands in for reach the command.
    """
    caller = {
        **TILL,
        "x-correlation-id": "sale-17",
        "x-clientela-on-behalf-of": "employee/marta",
        "x-clientela-unit": "north",
    }
    async with edge() as served:
        await served.call("Approach", caller=caller)

        (_, context) = served.stage.seen[0]
        call = context.call("r-1", validate_only=True, etags={"ownership": "x"})
        assert "service/till" == str(call.actor)
        assert "employee/marta" == str(call.on_behalf_of)
        assert ("north", "sale-17", "r-1", True) == (
            call.unit,
            call.correlation_id,
            call.request_id,
            call.validate_only,
        )


async def test_only_a_service_stands_in_for_somebody():
    """
    OWN-7: an employee who claims to act for a colleague is refused, and that is on record.
    """
    caller = {**as_employee("marta"), "x-clientela-on-behalf-of": "employee/ivo"}
    async with edge() as served:
        refusal = await served.refused("ListClients", caller=caller)

        assert ("PERMISSION_DENIED", {"permission": "on-behalf-of"}) == (
            refusal.code,
            refusal.metadata,
        )
        assert [("employee/marta", "denied")] == [(r[0], r[3]) for r in await served.audited()]


def test_nobody_but_the_guard_ends_a_call():
    """
    R19: a code set elsewhere would pass the table by.
    """
    folder = Path(__file__).parents[2] / "services" / "clientela" / "services"
    ending = {"abort", "abort_with_status", "set_code", "set_details"}
    found = {
        path.name
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ending
    }

    assert {"guard.py"} == found
