"""
Health over a real socket: open to all, true to the store, and the first to know of the end.
"""

from __future__ import annotations

import asyncio

from typing import Any

import grpc
import grpc.aio
import pytest

from grpc_health.v1 import health_pb2_grpc  # type: ignore[import-untyped]
from grpc_health.v1.health_pb2 import (  # type: ignore[import-untyped]
    HealthCheckRequest,
    HealthCheckResponse,
)

from clientela.adapters.memory import MemoryStore
from clientela.services.access import CallClass
from clientela.services.admission import ROOMS, Room
from clientela.services.health import WATCHERS_MAX
from clientela.services.store_errors import StoreUnavailableError
from tests.services.edge import Edge, edge, refusal_of


SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class MoodyStore(MemoryStore):
    """A store that can be away."""

    is_away = False

    async def last_position(self):
        if self.is_away:
            raise StoreUnavailableError
        return await super().last_position()


def stub(served: Edge) -> Any:
    """Calls health."""
    return health_pb2_grpc.HealthStub(served.channel)


@pytest.mark.parametrize("service", ["", "clientela.v1.OwnershipService"])
async def test_every_service_tells_whether_it_serves(service):
    """
    Health needs no credentials, and names every service and all together.
    """
    async with edge() as served:
        answer = await stub(served).Check(HealthCheckRequest(service=service))

        assert SERVING == answer.status


async def test_an_unknown_service_is_not_found():
    """
    The health protocol: NOT_FOUND for who is not here.
    """
    async with edge() as served:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub(served).Check(HealthCheckRequest(service="clientela.v1.Other"))

        assert "NOT_FOUND" == refusal_of(caught.value).code


async def test_health_answers_when_everything_else_is_full():
    """
    R18: a probe is never shed; a service under load is not a service that is down.
    """
    rooms = {call_class: Room(running_max=1, waiting_max=0) for call_class in CallClass}
    leave = asyncio.Event()
    async with edge(rooms={**ROOMS, **rooms}) as served:
        served.stage.answers["ListClients"] = lambda _: leave.wait()
        full = asyncio.create_task(served.refused("ListClients"))
        await served.stage.arrived.wait()

        answer = await stub(served).Check(HealthCheckRequest())
        leave.set()
        await full

        assert SERVING == answer.status


async def test_not_serving_while_the_store_is_away():
    """
    F11: health turns with the store, both ways, and who watches is told.
    """
    store = MoodyStore()
    async with edge(store=store) as served:
        watching = stub(served).Watch(HealthCheckRequest())
        before = (await watching.read()).status
        store.is_away = True
        await served.server.health.set_serving(is_serving=False)
        away = (await watching.read()).status
        await served.server.health.set_serving(is_serving=True)
        back = (await watching.read()).status
        watching.cancel()

        assert [SERVING, NOT_SERVING, SERVING] == [before, away, back]


async def test_the_probe_asks_the_store():
    """
    F11: what the probe finds is what health says.
    """
    store = MoodyStore()
    store.is_away = True
    async with edge(store=store) as served:
        watching = stub(served).Watch(HealthCheckRequest())
        status = (await watching.read()).status
        if status == SERVING:
            status = (await watching.read()).status
        watching.cancel()

        assert NOT_SERVING == status


async def test_who_leaves_takes_nobody_along():
    """
    Of two watchers of one service one leaves; the other is still told.
    """
    async with edge() as served:
        one, two = (stub(served).Watch(HealthCheckRequest()) for _ in range(2))
        await one.read()
        await two.read()
        one.cancel()
        await served.server.health.set_serving(is_serving=False)

        assert NOT_SERVING == (await two.read()).status
        two.cancel()


async def test_watchers_are_bounded():
    """
    S11: so many watch, and no more.
    """
    async with edge() as served:
        watching = [stub(served).Watch(HealthCheckRequest()) for _ in range(WATCHERS_MAX)]
        for watcher in watching:
            await watcher.read()

        one_more = stub(served).Watch(HealthCheckRequest())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await one_more.read()
        for watcher in watching:
            watcher.cancel()

        assert "RESOURCE_EXHAUSTED" == refusal_of(caught.value).code


async def test_random_bytes_at_health_are_invalid_arguments():
    """
    G18: the packaged protocol is guarded like our own.
    """
    async with edge() as served:
        call: Any = served.channel.unary_unary("/grpc.health.v1.Health/Check")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"\x0a\x02\xff\xfe", timeout=10)

        assert "INVALID_ARGUMENT" == refusal_of(caught.value).code
