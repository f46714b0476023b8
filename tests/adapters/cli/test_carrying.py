"""
How requests get to the service.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import attrs
import grpc.aio
import pytest

from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from clientela.adapters.bootstrap import private
from clientela.adapters.cli.carrying import BYTES_MAX, TOO_LONG, CallCarrier, HistoryCarrier
from clientela.adapters.cli.connection import ACTOR, Connection
from clientela.adapters.cli.delivery import Said, delivered
from clientela.adapters.cli.failure import VerbError
from clientela.adapters.settings import Settings
from clientela.adapters.tokens.development import ACTOR_HEADER
from clientela.adapters.tokens.own import SECRET_HEADER
from clientela.services.guard import DETAILS_KEY
from clientela.v1.client_pb2 import (
    FindClientsRequest,
    RegisterClientRequest,
    RegisterClientResponse,
)
from clientela.v1.client_pb2_grpc import (
    ClientServiceServicer,
    add_ClientServiceServicer_to_server,
)
from clientela.v1.common_pb2 import BusinessKey, FactRef, Outcome
from clientela.v1.history_pb2 import HistoryResult, RecordHistoryResponse
from clientela.v1.history_pb2_grpc import (
    HistoryServiceServicer,
    add_HistoryServiceServicer_to_server,
)


DONE = Said(is_new=True, client_id="petra")


class Stage(HistoryServiceServicer, ClientServiceServicer):
    """
    A service that answers as it was told to.

    Args:
        turns: By call: the reason of each command's refusal, or empty; or how the call fails.
    """

    def __init__(self, *turns):
        self.turns = list(turns)
        self.asked = []

    async def RecordHistory(self, request, context):  # noqa: N802 (the name of the rpc)
        self.asked.append([each.register_client.request_id for each in request.commands])
        reasons = await self._turn(context)
        return RecordHistoryResponse(results=map(result, reasons))

    async def RegisterClient(self, request, context):  # noqa: N802 (the name of the rpc)
        self.asked.append(request.request_id)
        await self._turn(context)
        return RegisterClientResponse(outcome=outcome())

    async def _turn(self, context) -> Any:
        turn = self.turns.pop(0)
        if isinstance(turn, Failing):
            await turn.fail(context)
        return turn


@attrs.frozen
class Failing:
    """How a call fails: with a code, and with a reason if the service says one."""

    code: grpc.StatusCode
    reason: str = ""

    async def fail(self, context):
        """Fail."""
        said = ((DETAILS_KEY, status(self.reason).SerializeToString()),) if self.reason else ()
        await context.abort(self.code, "no", said)


def status(reason):
    """A refusal as the service says it."""
    found = Status(code=grpc.StatusCode.ABORTED.value[0], message="no")
    found.details.add().Pack(ErrorInfo(reason=reason))
    return found


def outcome():
    """Of something that changed something."""
    return Outcome(events=[FactRef(version=1)])


def result(reason):
    """What a command came to."""
    if reason:
        return HistoryResult(refusal=status(reason))
    return HistoryResult(outcome=outcome(), client_id="petra")


@asynccontextmanager
async def staged(*turns, is_old=False):
    """A way to a service that answers as it was told to; an old one knows no histories."""
    # Of the rpcs of clients it has one.
    untyped: Any = Stage
    stage, server = untyped(*turns), grpc.aio.server()
    add_ClientServiceServicer_to_server(stage, server)
    if not is_old:
        add_HistoryServiceServicer_to_server(stage, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield stage, Connection(channel=channel, target="there", metadata=())
    finally:
        await server.stop(None)


def long(*names):
    """Requests of which a call holds one."""
    return [registration(name, 0, details={"name": "x" * (BYTES_MAX - 100)}) for name in names]


BUSY, AWAY = "VERSION_CONFLICT", Failing(grpc.StatusCode.UNAVAILABLE)
MALFORMED_CALL = Failing(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_VALUE")


@pytest.mark.parametrize("refusal", [[BUSY], AWAY])
async def test_a_later_call_does_not_overtake_one_that_may_pass(refusal):
    """
    What is too long for one call keeps its order when a part of it is to be tried again, and what
    was done before stays counted as new.
    """
    async with staged([""], refusal, [""], [""]) as (stage, connection):
        answers = await delivered(HistoryCarrier(connection), long("a", "b", "c"), pause_s=0)

    assert [["r-a"], ["r-b"], ["r-b"], ["r-c"]] == stage.asked
    assert [DONE] * 3 == answers


@pytest.mark.parametrize("refusal", [[BUSY], AWAY])
async def test_nothing_overtakes_where_each_goes_alone(refusal):
    """
    The same holds for requests sent one by one, since one of them is malformed.
    """
    requests = [registration(name, 0) for name in "abc"]
    turns = (MALFORMED_CALL, [""], refusal, MALFORMED_CALL, [""], MALFORMED_CALL)
    async with staged(*turns) as (stage, connection):
        *answers, bad = await delivered(HistoryCarrier(connection), requests, pause_s=0)

    alone = [asked[0] for asked in stage.asked if len(asked) == 1]
    assert ["r-a", "r-b", "r-b", "r-c"] == alone
    assert [DONE] * 2 == answers
    assert isinstance(bad, VerbError)
    assert "INVALID_VALUE" == bad.reason


async def test_a_registration_of_now_does_not_overtake_one_that_may_pass():
    """
    Of two rows of one client the first one counts, also when it has to be sent again.
    """
    twice = [registration("petra"), registration("petra")]
    twice[1].request_id = "second"
    async with staged(AWAY, [""], [""]) as (stage, connection):
        answers = await delivered(CallCarrier(connection), twice, pause_s=0)

    assert ["r-petra", "r-petra", "second"] == stage.asked
    assert [Said(is_new=True, client_id="")] * 2 == answers


async def test_a_request_that_no_call_holds_is_refused_alone(tmp_path):
    """
    A purchase longer than the service takes is one row's fault and ends no run.
    """
    async with connected(tmp_path) as connection:
        [far_too_long] = long("pavel")
        far_too_long.details.family_name = far_too_long.details.name * 2
        requests = [registration("petra", 0), far_too_long, registration("lena", 0)]

        first, bad, last = await delivered(HistoryCarrier(connection), requests)

    assert [Said(is_new=True, client_id=each) for each in ("petra", "lena")] == [first, last]
    assert isinstance(bad, VerbError)
    assert TOO_LONG == bad.reason


async def test_a_service_older_than_the_command_line_is_told():
    """
    One that knows no histories says so by a bare code; what to do is said here.
    """
    async with staged(is_old=True) as (_, connection):
        with pytest.raises(VerbError) as caught:
            await delivered(HistoryCarrier(connection), [registration("petra", 0)])

    assert "UNIMPLEMENTED" == caught.value.reason
    assert "older" in caught.value.advice


@asynccontextmanager
async def connected(folder):
    """A way to a service of the test's own."""
    async with (
        private(Settings(data_dir=folder)) as running,
        grpc.aio.insecure_channel(running.target) as channel,
    ):
        metadata = ((ACTOR_HEADER, ACTOR), (SECRET_HEADER, running.secret))
        yield Connection(channel=channel, target=running.target, metadata=metadata)


def registration(client_id, at=None, **more):
    """A request for a client."""
    request = RegisterClientRequest(client_id=client_id, request_id=f"r-{client_id}", **more)
    if at is not None:
        request.occurred_at.FromSeconds(at)
    return request


async def test_only_the_request_at_fault_is_refused(tmp_path):
    """
    A call with a text that no field may hold is refused whole; the others of it come in alone.
    """
    async with connected(tmp_path) as connection:
        requests = [
            registration("petra", 0),
            registration("pavel", 0, details={"name": "P\x07"}),
            registration("lena", 0),
        ]

        first, bad, last = await HistoryCarrier(connection).carry(requests)

    assert [Said(is_new=True, client_id=each) for each in ("petra", "lena")] == [first, last]
    assert isinstance(bad, VerbError)
    assert "INVALID_VALUE" == bad.reason
    assert bad.problem.startswith("details.name")


async def test_requests_of_now_go_one_by_one(tmp_path):
    """
    What does not say when it happened is registered now; who is not there is said by reason.
    """
    async with connected(tmp_path) as connection:
        carrier = CallCarrier(connection)
        there, nowhere = (BusinessKey(source="till", id=id_) for id_ in "78")

        made, again = await carrier.carry([registration("petra", source=there)] * 2)
        found, missing = await carrier.carry(
            [FindClientsRequest(source=there), FindClientsRequest(source=nowhere)]
        )

    assert DONE == made
    known = Said(is_new=False, client_id="petra")
    assert [attrs.evolve(known, is_repeat=True), known] == [again, found]
    assert isinstance(missing, VerbError)
    assert "CLIENT_UNKNOWN" == missing.reason
