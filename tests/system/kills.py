"""
Writers that never give up, a service that is killed under them, and whether anything is amiss.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio

from tests.services.edge import Refusal, refusal_of
from tests.system.doomed import Mortal
from tests.system.wire import Wire, request_of


WRITERS = 16
CLIENTS = 4
"""Clients whom the writers share: each is written to by several of them."""

AGAIN_SECONDS = 0.02
"""Before a writer tries again that was not answered."""

LATE = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED", "DEADLINE_EXCEEDED"}
"""Codes of refusals that say nothing of the command: it is sent again."""

DEFINITIONS = """
[loyalty]
currency = "EUR"
enrol = "on-first-purchase"
never_expires = true
shortfall = "debt"

[loyalty.spending]
points = 1
worth_minor = 1

[[loyalty.awards]]
points = 1
per_minor = 100
rounding = "line"
"""


@attrs.frozen
class Told:
    """
    What a writer was told.

    Attributes:
        method: Name of the rpc.

        request: The request, as it was sent.

        answer: The answer, as it came; empty for a refusal.

        refusal: Why not; None for an answer.
    """

    method: str
    request: bytes
    answer: bytes = b""
    refusal: Refusal | None = None


@attrs.define
class Load:
    """
    What the writers do and were told.

    Attributes:
        service: Whom they call.

        told: All that was acknowledged.

        is_over: Set when no writer begins anything new.
    """

    service: Mortal
    told: list[Told] = attrs.field(factory=list[Told])
    is_over: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def write(self, writer: int) -> None:
        """Write, one command after the other, each until it is answered."""
        number = 0
        while not self.is_over.is_set():
            method, request = command_of(writer, number)
            self.told.append(await self.acknowledged(method, request))
            self.service.answered()
            number += 1

    async def acknowledged(self, method: str, request: bytes) -> Told:
        """Send *request* again and again until it is answered."""
        while True:
            await self.service.is_up.wait()
            assert self.service.wire is not None
            try:
                return Told(method, request, await self.service.wire.raw(method, request))
            except (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.CancelledError) as error:
                told = told_of(method, request, error)
            if told is not None:
                return told
            await asyncio.sleep(AGAIN_SECONDS)


def told_of(method: str, request: bytes, error: BaseException) -> Told | None:
    """What *error* tells of the command; None if it tells of the way there only."""
    if not isinstance(error, grpc.aio.AioRpcError):
        current = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and current and current.cancelling():
            raise error
        return None
    try:
        refusal = refusal_of(error)
    except KeyError:
        return None
    return None if refusal.code in LATE else Told(method, request, refusal=refusal)


def command_of(writer: int, number: int) -> tuple[str, bytes]:
    """What a writer does: buy, approach, spend, in turn."""
    client_id, request_id = f"c-{writer % CLIENTS}", f"r-{writer}-{number}"
    receipt = {"source": f"till-{writer}", "id": str(number)}
    fields: dict[str, Any]
    match number % 3:
        case 0:
            method = "RecordPurchase"
            net = {"units": price(writer, number), "currency_code": "EUR"}
            line = {"line_id": "1", "sku": "tea", "quantity": 1, "net": net}
            fields = {"client_id": client_id, "purchase": receipt, "lines": [line]}
        case 1:
            method = "Approach"
            seller = f"s-{writer}"
            fields = {"client_id": client_id, "employee_id": seller, "channel": "phone"}
        case _:
            method = "SpendPoints"
            spent = points(writer, number)
            fields = {"wallet_id": client_id, "spend": receipt, "points": spent}
    return method, request_of(method, request_id=request_id, **fields).SerializeToString()


def price(writer: int, number: int) -> int:
    """Whole euros of a purchase, which are the points it earns."""
    return (writer * 7 + number) % 50 + 1


def points(writer: int, number: int) -> int:
    """Points of a spend; now and then more than there are."""
    return 10_000_000 if number % 30 == 2 else (writer * 3 + number) % 20 + 1


async def prepare(wire: Wire) -> None:
    """Definitions, sellers and clients."""
    await wire.call("ApplyDefinitions", toml=DEFINITIONS)
    for unit_id in ("north", "south"):
        await wire.call("RegisterUnit", unit_id=unit_id, kind=1, label=unit_id)
    for writer in range(WRITERS):
        await wire.call(
            "RegisterEmployee",
            employee_id=f"s-{writer}",
            unit_id=("north", "south")[writer % 2],
            name=f"Seller {writer}",
            roles=["salesperson"],
        )
    for number in range(CLIENTS):
        await wire.call("RegisterClient", client_id=f"c-{number}", details={"name": "Somebody"})
        await wire.call("OpenWallet", client_id=f"c-{number}")


@asynccontextmanager
async def mortal(folder: Path, store: str) -> AsyncIterator[Mortal]:
    """A service that may be killed, prepared."""
    service = Mortal(folder, store)
    try:
        await service.start()
        assert service.wire is not None
        await prepare(service.wire)
        yield service
    finally:
        await service.stop()


async def killed(folder: Path, kills: int, told_min: int, store: str = "mortal") -> Load:
    """
    Let the writers write while the service is killed.

    Args:
        folder: Data of the service.

        kills: How often; every other one comes between a commit and its acknowledgement.

        told_min: Commands acknowledged before each kill.

        store: Kind of store.

    Returns:
        What the writers were told.
    """
    dice = random.Random(f"kills {store}")
    async with mortal(folder, store) as service:
        load = Load(service)
        writers = [asyncio.create_task(load.write(writer)) for writer in range(WRITERS)]
        for number in range(kills):
            enough = len(load.told) + told_min + dice.randrange(20)
            while len(load.told) < enough:
                check_alive(writers)
                await asyncio.sleep(AGAIN_SECONDS)
            await service.kill(signal.SIGUSR1 if number % 2 else signal.SIGKILL)
        load.is_over.set()
        await asyncio.gather(*writers)
    return load


def check_alive(writers: list[asyncio.Task[None]]) -> None:
    """Let the error of a writer that failed be seen."""
    for writer in writers:
        if writer.done():
            with contextlib.suppress(asyncio.CancelledError):
                writer.result()
