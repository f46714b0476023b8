"""
A caller in a process of its own: so many unary calls in flight for a few seconds, and what it took.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio
import uvloop

from benchmarks.processes import RESULT, STOP_SECONDS, child, cpu_seconds, tell, told
from benchmarks.rounds import MICROSECONDS, percentile
from benchmarks.service import ECHO
from benchmarks.workload import SELLER, client_name
from clientela.v1 import (
    client_pb2,
    client_pb2_grpc,
    common_pb2,
    interaction_pb2,
    interaction_pb2_grpc,
    ownership_pb2,
    ownership_pb2_grpc,
    purchase_pb2,
    purchase_pb2_grpc,
)


WARM_SECONDS = 0.4
"""Before calls count."""

CALL_SECONDS = 30.0
"""How long one call may take."""

METADATA = (("x-clientela-actor", "service/till"),)
"""Who calls: a till, which is trusted with as many calls as there is room for."""

Call = Callable[[int, str], Awaitable[Any]]
"""Makes one call: client's number and a name that is used once."""


@attrs.frozen(kw_only=True)
class Asked:
    """
    What a caller is to do.

    Attributes:
        method: One of `METHODS`.

        flight: Calls in flight.

        seconds: How long.

        clients: How many clients are called about, at random.

        seed: Makes names unique and randomness repeatable.

        in_order: Whether every client is called about once, in turn, and then it ends.
    """

    method: str
    flight: int
    seconds: float
    clients: int
    seed: int
    in_order: bool = False


@attrs.frozen(kw_only=True)
class Traffic:
    """
    What one caller measured.

    Attributes:
        rate: Calls a second that were answered without an error; the figures below are of those.

        p50: Microseconds that half of the calls took at most.

        p99: Microseconds that 99 of 100 took at most.

        server: Microseconds of CPU that the service spent on a call.

        caller: Microseconds of CPU that the caller spent on a call.

        count: Calls that count.

        refused: Calls that were answered by an error, those before calls count included.

        database: Microseconds of CPU that a database server spent on a call.
    """

    rate: float
    p50: float
    p99: float
    server: float
    caller: float
    count: int
    refused: int
    database: float = 0.0


def traffic(
    pid: int, target: str, asked: Asked, log: Path, database: Callable[[], float] = float
) -> Traffic:
    """
    Call for a while and measure.

    Args:
        pid: Process of the service.

        target: Where it listens.

        asked: What is called, and how.

        log: Where errors of the caller go.

        database: CPU seconds of a database server so far; without one there are none.
    """
    before, stored = cpu_seconds(pid), database()
    told_to = (*attrs.astuple(asked)[:-1], int(asked.in_order))
    with child("benchmarks.caller", target, *told_to, log=log) as process:
        row = told(process, RESULT)
        process.wait(STOP_SECONDS)
    each = MICROSECONDS / max(row.pop("all"), 1)
    spent, kept = cpu_seconds(pid) - before, database() - stored
    return Traffic(server=spent * each, database=kept * each, **row)


def _echo(channel: grpc.aio.Channel) -> Call:
    method = channel.unary_unary(
        f"/{ECHO}/Echo",
        request_serializer=purchase_pb2.RecordPurchaseRequest.SerializeToString,
        response_deserializer=purchase_pb2.RecordPurchaseResponse.FromString,
    )
    return lambda client, name: method(_receipt(client, name), timeout=CALL_SECONDS)


def _purchase(channel: grpc.aio.Channel) -> Call:
    method = purchase_pb2_grpc.PurchaseServiceStub(channel).RecordPurchase
    return lambda client, name: method(
        _receipt(client, name), timeout=CALL_SECONDS, metadata=METADATA
    )


def _receipt(client: int, name: str) -> purchase_pb2.RecordPurchaseRequest:
    request = purchase_pb2.RecordPurchaseRequest(
        request_id=name,
        client_id=client_name(client),
        purchase=common_pb2.BusinessKey(source="till", id=name),
        unit_id="north",
        seller_id=SELLER,
    )
    line = request.lines.add(line_id="1", sku="article-1", quantity=1, category="housewares")
    line.net.currency_code, line.net.units, line.net.nanos = "EUR", 19, 900_000_000
    line.tax.currency_code, line.tax.units, line.tax.nanos = "EUR", 3, 180_000_000
    return request


def _interaction(channel: grpc.aio.Channel) -> Call:
    method = interaction_pb2_grpc.InteractionServiceStub(channel).RecordInteraction
    return lambda client, name: method(
        interaction_pb2.RecordInteractionRequest(
            request_id=name,
            client_id=client_name(client),
            channel="phone",
            direction=interaction_pb2.DIRECTION_INBOUND,
            purpose=interaction_pb2.PURPOSE_SERVICE,
            kind="call",
            employee_id=SELLER,
        ),
        timeout=CALL_SECONDS,
        metadata=METADATA,
    )


def _approach(channel: grpc.aio.Channel) -> Call:
    method = ownership_pb2_grpc.OwnershipServiceStub(channel).Approach
    return lambda client, name: method(
        ownership_pb2.ApproachRequest(
            request_id=name,
            client_id=client_name(client),
            employee_id=SELLER,
            channel="phone",
            with_offer=True,
        ),
        timeout=CALL_SECONDS,
        metadata=METADATA,
    )


def _read(channel: grpc.aio.Channel) -> Call:
    method = client_pb2_grpc.ClientServiceStub(channel).GetClient
    return lambda client, _name: method(
        client_pb2.GetClientRequest(client_id=client_name(client)),
        timeout=CALL_SECONDS,
        metadata=METADATA,
    )


METHODS: dict[str, Callable[[grpc.aio.Channel], Call]] = {
    "echo": _echo,
    "purchase": _purchase,
    "interaction": _interaction,
    "approach": _approach,
    "read": _read,
}
"""What can be called."""


class Loop:
    """
    A closed loop: each of some workers calls again as soon as it is answered.

    Args:
        call: Makes one call.

        clients: How many clients are called about.

        seed: Makes names unique.
    """

    def __init__(self, call: Call, clients: int, seed: int) -> None:
        self._call = call
        self._clients = clients
        self._seed = seed
        self._random = random.Random(seed)
        self.took: list[float] = []
        self.count = 0
        self.refused: Counter[str] = Counter()

    async def run(self, flight: int, seconds: float, *, in_order: bool = False) -> dict[str, Any]:
        """What it took: see `Traffic`, and how many calls there were in all."""
        cpu = time.process_time()
        begin = time.perf_counter() + (0.0 if in_order else WARM_SECONDS)
        numbers = iter(range(self._clients)) if in_order else None
        workers = (self._work(w, begin, begin + seconds, numbers) for w in range(flight))
        await asyncio.gather(*workers)
        lasted = max(time.perf_counter() - begin, 1e-9)
        return {
            "rate": len(self.took) / lasted,
            "p50": percentile(self.took, 0.50) * MICROSECONDS,
            "p99": percentile(self.took, 0.99) * MICROSECONDS,
            "caller": (time.process_time() - cpu) / max(self.count, 1) * MICROSECONDS,
            "count": len(self.took),
            "refused": self.refused.total(),
            "all": self.count,
        }

    async def _work(self, worker: int, begin: float, end: float, numbers: Any) -> None:
        number = 0
        while (start := time.perf_counter()) < end:
            client = next(numbers, None) if numbers else self._random.randrange(self._clients)
            if client is None:
                return
            number += 1
            self.count += 1
            try:
                await self._call(client, f"{self._seed:08x}-{worker:03d}-{number:09d}")
            except grpc.aio.AioRpcError as error:
                self.refused[f"{error.code().name} {error.details()}"] += 1
                continue
            if start >= begin:
                self.took.append(time.perf_counter() - start)


async def _main(said: argparse.Namespace) -> None:
    async with grpc.aio.insecure_channel(said.target) as channel:
        loop = Loop(METHODS[said.method](channel), said.clients, said.seed)
        row = await loop.run(said.flight, said.seconds, in_order=bool(said.in_order))
    tell(RESULT, row)
    if loop.refused:
        raise SystemExit(f"{said.method}: {loop.refused.most_common(3)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("flight", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("clients", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("in_order", type=int)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(parser.parse_args()))
