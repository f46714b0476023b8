"""
Calls over a real connection to a server whose servicers answer what a test wants.
"""

from __future__ import annotations

import asyncio

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import grpc.aio
import pytest

from clientela.domain.ids import Ref, client_journal
from clientela.domain.ownership.refusals import ClientTakenError
from clientela.sdk import Client, RefusedError, RetryPolicy, UnresolvedError, connect
from clientela.sdk.calling import Calling
from clientela.sdk.client import _credentials
from clientela.sdk.retrying import RetryBudget
from clientela.services.calls import EtagMismatchError
from clientela.services.refusals import DeadlineError, OverloadedError
from clientela.services.store_errors import (
    StoreUnavailableError,
    StoreUnsuitableError,
    VersionConflictError,
)
from clientela.v1.client_pb2 import ListClientsRequest, ListClientsResponse
from clientela.v1.history_pb2 import HistoryCommand, RecordHistoryRequest, RecordHistoryResponse
from clientela.v1.operation_pb2 import RotateKeysRequest
from clientela.v1.ownership_pb2 import ApproachRequest, ApproachResponse
from clientela.v1.purchase_pb2 import RecordPurchaseRequest, RecordReturnRequest
from tests.services.edge import MARTA, NORTH, PETRA, edge


AT_ONCE = RetryPolicy(wait_first_s=0.0)
BUSY = OverloadedError(timedelta(milliseconds=1))
APPROACH = ApproachRequest(client_id="petra", employee_id="marta", channel="phone")


@asynccontextmanager
async def shop(policy=AT_ONCE, **options):
    """A server and a client of it."""
    async with edge() as served:
        target = f"127.0.0.1:{served.port}"
        async with connect(target, actor="service/till", policy=policy, **options) as client:
            yield served.stage, client


def failing(times, error):
    """What answers with *error* so many times and then well."""
    left = [error] * times
    return lambda _request: left.pop() if left else ApproachResponse()


async def test_call_is_answered_in_the_type_of_its_rpc():
    """
    A call shows who calls and gets the message of its rpc.
    """
    async with shop() as (stage, client):
        answer = await client.ownership.Approach(APPROACH)

    assert ApproachResponse() == answer
    [(_, context)] = stage.seen
    assert "service/till" == str(context.principal.actor)


async def test_request_without_an_id_gets_one():
    """
    R3: the caller makes the id of a request; one made by the SDK leaves the caller's message alone.
    """
    async with shop() as (stage, client):
        await client.ownership.Approach(APPROACH)
        await client.ownership.Approach(APPROACH)

    first, second = (request.request_id for request, _ in stage.seen)
    assert "" == APPROACH.request_id
    assert 36 == len(first) == len(second)
    assert first != second


async def test_request_keeps_the_id_its_caller_gave():
    """
    R3: an id of the caller's own is sent as it is.
    """
    async with shop() as (stage, client):
        await client.ownership.Approach(ApproachRequest(request_id="till-7-0815"))

    assert ["till-7-0815"] == [request.request_id for request, _ in stage.seen]


async def test_history_is_tried_again_with_the_request_ids_of_its_commands():
    """
    R3, R16: each command of a history has an id, its caller's or one made by the SDK, so that the
    call may be repeated; all tries bear the same ids, and the caller's message is left alone.
    """
    bought = RecordPurchaseRequest(client_id="petra", request_id="till-7-0815")
    brought_back = HistoryCommand(record_return=RecordReturnRequest())
    told = [HistoryCommand(record_purchase=bought), brought_back, HistoryCommand()]
    request = RecordHistoryRequest(commands=told)
    left: list[Exception] = [StoreUnavailableError("away"), BUSY]
    async with shop() as (stage, client):
        stage.answers["RecordHistory"] = lambda _: left.pop() if left else RecordHistoryResponse()
        await client.history.RecordHistory(request)

    assert RecordHistoryRequest(commands=told) == request
    first, *others = [seen for seen, _ in stage.seen]
    assert [first, first] == others
    assert "till-7-0815" == first.commands[0].record_purchase.request_id
    assert 36 == len(first.commands[1].record_return.request_id)
    assert HistoryCommand() == first.commands[2]


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailableError("away"),
        VersionConflictError(client_journal(PETRA)),
        OverloadedError(timedelta(milliseconds=1)),
        DeadlineError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_call_is_tried_again_with_the_same_request_id(error):
    """
    R16: UNAVAILABLE, ABORTED, RESOURCE_EXHAUSTED with RetryInfo and DEADLINE_EXCEEDED are tried
    again, every try under one request id.
    """
    async with shop() as (stage, client):
        stage.answers["Approach"] = failing(2, error)
        await client.ownership.Approach(APPROACH)

    ids = [request.request_id for request, _ in stage.seen]
    assert 3 == len(ids)
    assert 1 == len(set(ids))


@pytest.mark.parametrize(
    "error",
    [EtagMismatchError("ownership", "ownership-7"), StoreUnsuitableError("schema"), ValueError()],
    ids=lambda error: type(error).__name__,
)
async def test_what_a_repeat_would_get_again_is_not_repeated(error):
    """
    R16: an etag that has changed, an unsuitable store and a fault of the service are told at once.
    """
    async with shop() as (stage, client):
        stage.answers["Approach"] = failing(1, error)
        with pytest.raises(RefusedError):
            await client.ownership.Approach(APPROACH)

    assert 1 == len(stage.seen)


async def test_tries_end_after_five():
    """
    R16: after five tries a call fails, with the id under which it may be repeated.
    """
    async with shop() as (stage, client):
        stage.answers["Approach"] = failing(9, BUSY)
        with pytest.raises(UnresolvedError) as caught:
            await client.ownership.Approach(APPROACH)

    assert 5 == len(stage.seen)
    assert "OVERLOADED" == caught.value.reason
    assert stage.seen[0][0].request_id == caught.value.request_id


async def test_refusal_tells_reason_end_and_whether_to_ask():
    """
    A refusal is an exception with reason, data, rule, the moment it ends and whether a transfer may
    be asked for.
    """
    until = datetime(2026, 4, 1, tzinfo=UTC)
    taken = ClientTakenError(
        MARTA,
        NORTH,
        rule="OWN-2",
        may_request=True,
        because=(Ref(client_journal(PETRA), 4),),
        until=until,
    )
    async with shop() as (stage, client):
        stage.answers["Approach"] = lambda _request: taken
        with pytest.raises(RefusedError) as caught:
            await client.ownership.Approach(APPROACH)

    refused = caught.value
    assert ("CLIENT_TAKEN", "OWN-2") == (refused.reason, refused.rule)
    assert (until, True) == (refused.until, refused.may_request)
    assert "CLIENT_TAKEN" in str(refused)


async def test_malformed_field_is_named():
    """
    A malformed request is refused with the path of the field.
    """
    async with shop() as (_stage, client):
        with pytest.raises(RefusedError) as caught:
            await client.ownership.Approach(ApproachRequest(client_id="x" * 5_000))

    assert "INVALID_VALUE" == caught.value.reason
    assert ["client_id"] == list(caught.value.fields)


async def test_service_that_is_not_there_is_unresolved():
    """
    Where nobody answers, the call says so by the name of its code.
    """
    async with connect("127.0.0.1:1", actor="service/till", policy=AT_ONCE) as client:
        with pytest.raises(UnresolvedError) as caught:
            await client.ownership.Approach(APPROACH)

    assert "UNAVAILABLE" == caught.value.reason
    assert caught.value.request_id


async def test_call_ends_at_its_deadline():
    """
    R17: tries and waits end when the time of the call is over; what is left is not begun.
    """
    held = asyncio.Event()
    async with shop() as (stage, client):
        stage.answers["Approach"] = lambda _request: held.wait()
        for seconds in (0.2, 1.0, 5.0, 25.0):
            with pytest.raises(UnresolvedError) as caught:
                await client.ownership.Approach(APPROACH, timeout=seconds)
            if stage.seen:
                break
            # On a busy machine the time was over before the call arrived.

    assert "DEADLINE_EXCEEDED" == caught.value.reason
    assert 1 == len(stage.seen)


async def test_read_is_tried_again():
    """
    R16: a call that changes nothing may be tried again without any id.
    """
    async with shop() as (stage, client):
        left = [BUSY]
        stage.answers["ListClients"] = lambda _request: (
            left.pop() if left else ListClientsResponse()
        )
        await client.clients.ListClients(ListClientsRequest())

    assert 2 == len(stage.seen)


async def test_change_without_a_request_id_is_not_repeated():
    """
    R16: what changes something and bears no id that would make a repeat harmless is tried once.
    """
    called = []

    async def away(request, context):
        called.append(request)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "away")

    method: Any = grpc.unary_unary_rpc_method_handler(away)
    service = "clientela.v1.OperationService"
    handler = grpc.method_handlers_generic_handler(service, {"RotateKeys": method})
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with connect(f"127.0.0.1:{port}", policy=AT_ONCE) as client:
        with pytest.raises(UnresolvedError):
            await client.operations.RotateKeys(RotateKeysRequest())
    await server.stop(0)

    assert 1 == len(called)


async def test_token_is_asked_for_at_every_try():
    """
    A token provider is asked before every try, so that a token may be renewed between two.
    """
    handed = iter(("first", "second"))
    shown = []

    async def token():
        shown.append(next(handed))
        return shown[-1]

    async with shop(token=token) as (stage, client):
        stage.answers["Approach"] = failing(1, BUSY)
        await client.ownership.Approach(APPROACH)

    assert ["first", "second"] == shown


async def test_call_that_is_given_long_is_not_cut_short():
    """
    R17: who gives a call minutes may call what takes them: a try lasts its share of the time.
    """
    held = asyncio.Event()

    async def slowly(_request):
        await held.wait()
        return ApproachResponse()

    async with edge() as served:
        served.stage.answers["Approach"] = slowly
        calling = Calling(credentials=_credentials(None, "service/till"), try_seconds=0.5)
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{served.port}", interceptors=[calling]
        ) as channel:
            asyncio.get_running_loop().call_later(1.0, held.set)
            await Client(channel).ownership.Approach(APPROACH, timeout=100.0)

        assert 1 == len(served.stage.seen)


async def test_budget_bounds_the_retries_of_all_calls():
    """
    R16: when calls keep failing, retries are at most a tenth of the calls.
    """
    async with edge() as served:
        served.stage.answers["Approach"] = lambda _request: BUSY
        calling = Calling(
            credentials=_credentials(None, "service/till"),
            policy=AT_ONCE,
            budget=RetryBudget(first=0.0),
        )
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{served.port}", interceptors=[calling]
        ) as channel:
            client = Client(channel)
            for _ in range(40):
                with pytest.raises(UnresolvedError):
                    await client.ownership.Approach(APPROACH)

        assert 40 < len(served.stage.seen) <= 44
