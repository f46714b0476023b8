"""
Requests as nobody should send them, over a real socket.
"""

from __future__ import annotations

import os

import grpc
import grpc.aio
import pytest

from clientela.services.translate.pages import next_page_token
from tests.system.bombardment import GROWTH_MAX, bombarded
from tests.system.malformed import malformed
from tests.system.town import town
from tests.system.wire import METHODS, request_of, served


EACH = int(os.environ.get("CLIENTELA_MALFORMED_EACH", "20"))
"""Requests of each rpc."""


async def test_no_request_brings_out_a_fault_or_changes_anything(tmp_path):
    """
    G18, R19: whatever is sent is answered or refused by name; state and memory stay as they were.
    """
    found = await bombarded(tmp_path, EACH)

    assert [] == found.slips[:10]
    assert found.codes.total() >= EACH * len(METHODS)
    assert found.growth < GROWTH_MAX


async def test_what_is_larger_than_a_message_may_be_is_refused_by_the_transport(tmp_path):
    """
    S11: a request of more than 1 MiB is not even read.
    """
    request = request_of("ApplyDefinitions", request_id="r", toml="#" * 1_100_000)
    async with served(tmp_path) as service:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await service.wire.raw("ApplyDefinitions", request)

        assert grpc.StatusCode.RESOURCE_EXHAUSTED is caught.value.code()


def test_the_same_seed_makes_the_same_requests():
    """
    What was found once can be sent again.
    """
    first, second = (
        [request.raw for request in malformed("RecordPurchase", 50, "seed") if request.kind]
        for _ in range(2)
    )

    assert first == second


async def test_a_token_forged_with_a_client_beyond_reach_shows_nothing(tmp_path):
    """
    OWN-7: what a page token says is where a list goes on, never what may be seen.
    """
    south = {
        "x-clientela-actor": "employee/ines",
        "x-clientela-roles": "immediate-superior",
        "x-clientela-unit": "south",
    }
    async with town(tmp_path) as service:
        wire = service.wire.acting(south)
        request = request_of("ListUnmatchedReturns")
        token = next_page_token(request, "petra 2000-01-01T00:00:00.000000+00:00 000000000001")

        shown = await wire.call("ListUnmatchedReturns", page_token=token)

        assert [] == [each for each in shown.returns if each.client_id == "petra"]
