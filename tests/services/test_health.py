"""
Health over a real socket: open to all, true to the store, and the first to know of the end.
"""

from __future__ import annotations

import asyncio

from collections.abc import Callable
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
from clientela.services.health import PROBE, WATCHERS_MAX, Health
from clientela.services.metrics import Level, NoMetrics
from clientela.services.server import ExposedError, Oversight
from clientela.services.store_errors import StoreUnavailableError
from tests.services.edge import METHODS, TILL, Edge, edge, refusal_of, request_of


SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class MoodyStore(MemoryStore):
    """A store that can be away, and that can take nothing more."""

    is_away = False
    is_full = False
    fault: Exception | None = None
    asked = 0

    def __init__(self):
        super().__init__()
        self.written: list[str] = []

    async def last_position(self):
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        if self.is_away:
            raise StoreUnavailableError
        return await super().last_position()

    async def note(self, name, value=None):
        if self.is_full and value is not None:
            raise StoreUnavailableError
        if value is not None:
            self.written.append(name)
        return await super().note(name, value)


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
            await call(b"\x0a\x02\xff\xfe", timeout=60)

        assert "INVALID_ARGUMENT" == refusal_of(caught.value).code


async def status_of(served: Edge, service: str) -> Any:
    """What health says of a service."""
    return (await stub(served).Check(HealthCheckRequest(service=service))).status


async def until(served: Edge, service: str, status: Any) -> bool:
    """Whether health comes to say so of a service, within a minute."""
    watching = stub(served).Watch(HealthCheckRequest(service=service))
    async with asyncio.timeout(60):
        while (await watching.read()).status != status:
            pass
    watching.cancel()
    return True


async def until_so(condition: Callable[[], bool]) -> None:
    """Return when it holds; it must within a minute."""
    async with asyncio.timeout(60):
        while not condition():
            # Lets others go on.
            await asyncio.to_thread(bool)


COMMANDS, READS = "clientela.v1.OwnershipService", "clientela.v1.EventService"


async def test_a_full_disk_stops_what_writes_and_nothing_else():
    """
    F5: a call that could not be written makes health look; what writes is NOT_SERVING, what only
    reads goes on, the process is alive, and all comes back by itself when there is room.
    """
    store = MoodyStore()
    async with edge(store=store) as served:
        store.is_full = True
        served.stage.answers["Approach"] = lambda _: StoreUnavailableError("disk full")
        request = request_of("Approach", client_id="petra", employee_id="marta")
        await served.refused("Approach", request)
        await until(served, "readiness", NOT_SERVING)
        full = [await status_of(served, name) for name in ("", COMMANDS, READS, "liveness")]
        store.is_full = False
        is_back = await until(served, COMMANDS, SERVING)

        assert [NOT_SERVING, NOT_SERVING, SERVING, SERVING] == full
        assert is_back


async def test_a_disk_that_is_all_but_full_is_noticed_before_a_call_fails():
    """
    F5: what the disk says of its room is looked at with every probe.
    """
    rooms = [False]
    health = Health([])
    probing = asyncio.create_task(health.probe(MoodyStore(), lambda: rooms[0]))
    await until_so(lambda: not health.is_serving)
    rooms[0] = True
    health.suspect()
    await until_so(lambda: health.is_serving)

    assert not probing.done()
    probing.cancel()


async def test_a_disk_that_cannot_be_looked_at_takes_nothing():
    """
    F5: a folder that is gone, or not to be read, is told as one without room; looking goes on.
    """
    problems = [FileNotFoundError("data")]

    def room() -> bool:
        if problems:
            raise problems[0]
        return True

    health = Health([])
    probing = asyncio.create_task(health.probe(MoodyStore(), room))
    await until_so(lambda: not health.is_serving)
    problems.clear()
    health.suspect()
    await until_so(lambda: health.is_serving)

    assert not probing.done()
    probing.cancel()


async def test_nothing_is_written_while_nothing_is_wrong():
    """
    A probe reads; it writes only when a call has failed to.
    """
    store = MoodyStore()
    health = Health([])
    probing = asyncio.create_task(health.probe(store))
    await until_so(lambda: store.asked > 0)
    before = list(store.written)
    health.suspect()
    await until_so(lambda: bool(store.written))
    probing.cancel()

    assert [] == before
    assert [PROBE] == store.written


async def test_a_store_that_breaks_unforeseen_is_not_there():
    """
    Health tells the truth: an error nobody thought of ends no looking, and is no good sign.
    """
    store = MoodyStore()
    health = Health([])
    store.fault = RuntimeError("unforeseen")
    probing = asyncio.create_task(health.probe(store))
    await until_so(lambda: not health.is_serving)
    store.fault = None
    health.suspect()
    await until_so(lambda: health.is_serving)

    assert not probing.done()
    probing.cancel()


async def test_the_bus_down_is_degraded_and_not_down():
    """
    F8: commands go on without the bus; that it is away is told by its own name.
    """
    async with edge() as served:
        served.server.health.note("bus", is_good=False)
        away = [await status_of(served, name) for name in ("", COMMANDS, "bus")]
        degraded = served.server.health.degraded
        served.server.health.note("bus", is_good=True)

        assert [SERVING, SERVING, NOT_SERVING] == away
        assert ("bus",) == degraded
        assert SERVING == await status_of(served, "bus")


async def test_stopping_is_not_serving_and_alive():
    """
    R18: who balances load is told first; who restarts dead processes leaves it alone.
    """
    async with edge() as served:
        await served.server.health.stop()
        told = [await status_of(served, name) for name in ("", READS, COMMANDS, "liveness")]

        assert [NOT_SERVING, NOT_SERVING, NOT_SERVING, SERVING] == told


async def test_health_alone_is_told_on_a_port_of_its_own():
    """
    S10: beside an encrypted port there may be one on loopback that tells health and nothing else.
    """
    oversight = Oversight(health_address="127.0.0.1:0")
    async with edge(oversight=oversight) as served:
        target = f"127.0.0.1:{served.server.health_port}"
        async with grpc.aio.insecure_channel(target) as channel:
            desk: Any = health_pb2_grpc.HealthStub(channel)
            told = await desk.Check(HealthCheckRequest())
            calling: Any = channel.unary_unary(METHODS["GetOwnership"].path)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await calling(b"", timeout=60, metadata=tuple(TILL.items()))

        assert SERVING == told.status
        assert "UNIMPLEMENTED" == caught.value.code().name


async def test_health_is_told_unencrypted_on_this_machine_only():
    """
    S10, G31: another address is refused before anything listens.
    """
    with pytest.raises(ExposedError, match="health is told there without encryption"):
        async with edge(oversight=Oversight(health_address="192.0.2.1:0")):
            pass


async def test_changes_of_health_are_figures():
    """
    Issue 3, 8: whoever reads figures sees what health says.
    """
    told = []

    class Kept(NoMetrics):
        def level(self, what, value, label=""):
            told.append((what, value, label))

    health = Health([], metrics=Kept())
    health.note("bus", is_good=False)
    await health.set_serving(is_serving=True)

    assert (Level.SERVING, 0.0, "bus") in told
    assert (Level.SERVING, 1.0, "readiness") in told
