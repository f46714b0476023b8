"""
A service under malformed requests, and what must be so after them.
"""

from __future__ import annotations

import asyncio
import re

from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio

from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]

from tests.services.edge import Refusal, refusal_of
from tests.system.boundaries import PLANTED
from tests.system.doomed import Mortal
from tests.system.malformed import Malformed, malformed
from tests.system.state import state_of
from tests.system.story import CLIENTS, ORGANISATION, POINTS, STAGES, TRADE
from tests.system.wire import METHODS, path_of


SEED = "clientela"

AT_ONCE = 16
"""Requests under way at the same time."""

WARMING = 20
"""Requests of each rpc before memory is measured."""

GROWTH_MAX = 32 * 1024 * 1024
"""Bytes by which the service may grow."""

FOLLOW_SECONDS = 0.2
"""How long anybody listens to what may never end."""

NAMED = {
    "ABORTED",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
}
"""Codes of refusals."""

SLIP = re.compile(rf"Traceback|Error(?!Info)|Exception| object at 0x|\.py\b|{PLANTED}".encode())
"""What stands in texts of exceptions only, and what nobody may read in a refusal."""


@attrs.define
class Bombardment:
    """
    What came back.

    Attributes:
        codes: How often each code came.

        slips: Answers that must not be, with the request.

        growth: Bytes by which the service grew.
    """

    codes: Counter[str] = attrs.field(factory=Counter[str])
    slips: list[str] = attrs.field(factory=list[str])
    growth: int = 0


async def prepare(service: Mortal) -> None:
    """The shop, as far as its story needs no virtual time."""
    assert service.wire is not None
    for chapter in (ORGANISATION, CLIENTS, TRADE, POINTS, STAGES):
        for each in chapter:
            if each.method != "AdvanceClock":
                await service.wire.call(each.method, **each.fields)


async def bombarded(folder: Path, each: int) -> Bombardment:
    """
    Send *each* malformed requests to every rpc and look at everything.

    Args:
        folder: Where the service keeps its data.

        each: Requests of each rpc, at least.
    """
    service = Mortal(folder, "mortal")
    found = Bombardment()
    try:
        await service.start()
        await prepare(service)
        before = state_of(folder)
        await send(service, found, WARMING, f"{SEED} at first")
        settled = service.memory()
        await send(service, found, each, SEED)
        found.growth = service.memory() - settled
        assert before == state_of(folder)
        assert await is_serving(service)
    finally:
        await service.stop()
    return found


async def send(service: Mortal, found: Bombardment, each: int, seed: str) -> None:
    """Send requests of all rpcs, mixed."""
    waiting = [iter(malformed(method, each, seed)) for method in sorted(METHODS)]
    while waiting:
        requests = [request for source in waiting if (request := next(source, None)) is not None]
        waiting = waiting if requests else []
        for begin in range(0, len(requests), AT_ONCE):
            batch = requests[begin : begin + AT_ONCE]
            await asyncio.gather(*(judge(service, found, request) for request in batch))


async def judge(service: Mortal, found: Bombardment, request: Malformed) -> None:
    """Send one request and look at what comes back."""
    code, slip = await outcome(service, request)
    found.codes[code] += 1
    if slip:
        found.slips.append(f"{request.method} ({request.kind}): {slip}: {request.raw[:200]!r}")


async def outcome(service: Mortal, request: Malformed) -> tuple[str, str]:
    """The code that a request is answered with, and what is wrong with the answer."""
    assert service.wire is not None
    channel, path = service.wire.channel, path_of(request.method)
    is_endless = request.method == "FollowEvents"
    seconds = FOLLOW_SECONDS if is_endless else 30.0
    try:
        if METHODS[request.method].server_streaming:
            streaming: Any = channel.unary_stream(path)
            call = streaming(request.raw, timeout=seconds, metadata=request.metadata)
            async for _ in call:
                if is_endless:
                    call.cancel()
                    break
        else:
            calling: Any = channel.unary_unary(path)
            await calling(request.raw, timeout=seconds, metadata=request.metadata)
    except grpc.aio.AioRpcError as error:
        if is_endless and error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return "OK", ""
        return error.code().name, slip_of(error)
    return "OK", ""


def slip_of(error: grpc.aio.AioRpcError) -> str:
    """What is wrong with a refusal; empty for nothing."""
    code = error.code().name
    if code not in NAMED:
        return f"{code} {error.details()}"
    try:
        refusal: Refusal = refusal_of(error)
    except (KeyError, AssertionError):
        return f"{code} without details: {error.details()}"
    said = repr(refusal).encode() + b"".join(
        value if isinstance(value, bytes) else value.encode()
        for _, value in error.trailing_metadata() or ()
    )
    spoken = SLIP.search(said)
    return f"{code} says {spoken.group()!r}: {refusal}" if spoken else ""


async def is_serving(service: Mortal) -> bool:
    """Whether health says so."""
    assert service.wire is not None
    stub = health_pb2_grpc.HealthStub(service.wire.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
