"""
How requests get to the service.
"""

from __future__ import annotations

from contextlib import asynccontextmanager

import grpc.aio
import pytest

from clientela.adapters.bootstrap import private
from clientela.adapters.cli.carrying import (
    CallCarrier,
    Carrier,
    HistoryCarrier,
    Said,
    delivered,
)
from clientela.adapters.cli.connection import ACTOR, Connection
from clientela.adapters.cli.failure import Exit, VerbError
from clientela.adapters.settings import Settings
from clientela.adapters.tokens.development import ACTOR_HEADER
from clientela.adapters.tokens.own import SECRET_HEADER
from clientela.v1.client_pb2 import FindClientsRequest, RegisterClientRequest
from clientela.v1.common_pb2 import BusinessKey


DONE = Said(is_new=True, client_id="petra")


def refused(reason):
    """A refusal."""
    return VerbError(Exit.FAILED, "no", reason=reason)


class Script(Carrier):
    """Answers call after call as it was told to, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def carry(self, requests):
        self.asked.append(list(requests))
        answer = self.answers.pop(0)
        if isinstance(answer, VerbError):
            raise answer
        return answer


async def test_only_what_may_pass_is_tried_again_and_in_its_order():
    """
    A conflict is sent once more, what was done or refused for good is not.
    """
    busy, taken = refused("VERSION_CONFLICT"), refused("KEY_TAKEN")
    carrier = Script([DONE, busy, taken, busy], [DONE, DONE])

    answers = await delivered(carrier, "abcd")

    assert [["a", "b", "c", "d"], ["b", "d"]] == carrier.asked
    assert [DONE, DONE, taken, DONE] == answers


async def test_a_service_that_was_away_is_asked_again():
    """
    What became of a call that failed is not known; all of it goes again, under its own ids.
    """
    carrier = Script(refused("OVERLOADED"), [DONE, DONE])

    assert [DONE, DONE] == await delivered(carrier, "ab")
    assert [["a", "b"], ["a", "b"]] == carrier.asked


@pytest.mark.parametrize("reason", ["ACCESS_DENIED", "INTERNAL", "UNIMPLEMENTED"])
async def test_what_no_row_will_get_past_ends_the_run(reason):
    """
    A caller who may not is told once, not for every row: be it of the call or of one request.
    """
    for answer in (refused(reason), [DONE, refused(reason)]):
        with pytest.raises(VerbError) as caught:
            await delivered(Script(answer), "ab")

        assert reason == caught.value.reason


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
    assert [Said(is_new=False, client_id="petra")] * 2 == [again, found]
    assert isinstance(missing, VerbError)
    assert "CLIENT_UNKNOWN" == missing.reason
