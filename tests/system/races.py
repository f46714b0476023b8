"""
Many sellers approach one client at the same time, and what must have come of it.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import attrs
import grpc
import grpc.aio

from clientela.domain.ids import ClientId, client_journal
from clientela.domain.ownership.holding import Ownership
from clientela.services.records import Records
from clientela.v1.ownership_pb2 import ApproachResponse
from tests.services.edge import Refusal, as_employee, refusal_of
from tests.system.wire import LIMITS, Service, Wire


UNITS = ("north", "south", "east", "west")
"""Where sellers work, in turn."""

CONNECTIONS = 8
"""Connections that the sellers share."""

STATUS = "grpc-status-details-bin"

LAPSE = timedelta(days=60)
"""After which ownership ends under `LAPSING`."""

LAPSING = f"[ownership]\nlapses_after_days = {LAPSE.days}\n"
LASTING = "[ownership]\nmay_request = false\n"


@attrs.frozen
class Seller:
    """
    Somebody who approaches.

    Attributes:
        id: Their id.

        unit_id: Where they work.

        wire: Calls as them.
    """

    id: str
    unit_id: str
    wire: Wire


@attrs.frozen
class Reply:
    """
    What a seller got, to the byte.

    Attributes:
        seller: Who.

        answer: Of the winner; None for a refusal.

        refusal: Of everybody else; None for the winner.

        raw: The answer, or the status of the refusal.
    """

    seller: Seller
    answer: ApproachResponse | None
    refusal: Refusal | None
    raw: bytes


@asynccontextmanager
async def staffed(service: Service, count: int) -> AsyncIterator[tuple[Seller, ...]]:
    """*count* sellers of several units."""
    for unit_id in UNITS:
        await service.wire.call("RegisterUnit", unit_id=unit_id, kind=1, label=unit_id)
    sellers: list[Seller] = []
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(
                grpc.aio.insecure_channel(service.running.target, options=LIMITS)
            )
            for _ in range(CONNECTIONS)
        ]
        for number in range(count):
            seller_id, unit_id = f"s-{number}", UNITS[number % len(UNITS)]
            await service.wire.call(
                "RegisterEmployee",
                employee_id=seller_id,
                unit_id=unit_id,
                name=f"Seller {number}",
                roles=["salesperson"],
            )
            channel = channels[number % CONNECTIONS]
            sellers.append(Seller(seller_id, unit_id, Wire(channel, as_employee(seller_id))))
        yield tuple(sellers)


async def race(service: Service, client_id: str, sellers: Sequence[Seller]) -> None:
    """Let all *sellers* approach a new client at the same time, twice, and check everything."""
    await service.wire.call("RegisterClient", client_id=client_id)
    first = await asyncio.gather(*(approach(seller, client_id) for seller in sellers))
    policy = (await service.wire.call("GetDefinitions")).document
    check_replies(first, lapses="lapses_after_days" in policy)
    await check_journal(service, client_id, first)
    again = await asyncio.gather(*(approach(seller, client_id) for seller in sellers))
    assert [plain(reply) for reply in first] == [plain(reply) for reply in again]
    assert [is_replayed(reply) for reply in again] == [is_won(reply) for reply in first]
    await check_journal(service, client_id, first)


async def approach(seller: Seller, client_id: str) -> Reply:
    """Approach, with patience: whoever is asked to come again later does."""
    request = seller.wire.request(
        "Approach",
        request_id=f"{seller.id}-{client_id}",
        client_id=client_id,
        employee_id=seller.id,
        channel="phone",
        note=f"{seller.id} calls",
    )
    while True:
        try:
            raw = await seller.wire.raw("Approach", request)
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
            if refusal.code != "RESOURCE_EXHAUSTED":
                status = dict(error.trailing_metadata() or ())[STATUS]
                assert isinstance(status, bytes)
                return Reply(seller, None, refusal, status)
            await asyncio.sleep(refusal.retry_seconds or 0)
        else:
            return Reply(seller, ApproachResponse.FromString(raw), None, raw)


def is_won(reply: Reply) -> bool:
    """Whether it is the winner's."""
    return reply.answer is not None


def is_replayed(reply: Reply) -> bool:
    """Whether it says that it is a repeat."""
    return reply.answer is not None and reply.answer.outcome.replayed


def plain(reply: Reply) -> bytes:
    """A reply to the byte, but for the mark of a repeat."""
    if reply.answer is None:
        return reply.raw
    answer = ApproachResponse.FromString(reply.raw)
    answer.outcome.ClearField("replayed")
    return answer.SerializeToString(deterministic=True)


def check_replies(replies: Sequence[Reply], *, lapses: bool) -> None:
    """One owner; everybody else is told the rule, until when, and whether they may ask."""
    [won] = filter(is_won, replies)
    assert won.answer is not None
    owner = won.answer.ownership
    assert (won.seller.id, won.seller.unit_id) == (owner.owner_id, owner.unit_id)
    until = {"until": (owner.since.ToDatetime() + LAPSE).isoformat() + "+00:00"} if lapses else {}
    for reply in replies:
        if reply is won:
            continue
        rule = "OWN-2" if reply.seller.unit_id == won.seller.unit_id else "OWN-6"
        assert reply.refusal is not None
        assert ("FAILED_PRECONDITION", "CLIENT_TAKEN") == (reply.refusal.code, reply.refusal.reason)
        expected = {"rule": rule, "may_request": str(lapses).lower(), **until}
        assert expected == reply.refusal.metadata
        assert (rule,) == reply.refusal.rules
        assert won.seller.id not in reply.refusal.text


async def check_journal(service: Service, client_id: str, replies: Sequence[Reply]) -> None:
    """One event of ownership, one of every refusal; folded anew the owner is the same."""
    core = service.running.core
    journal_id = client_journal(ClientId(client_id))
    history = await core.path.records.history(journal_id)
    names = [recorded.type.name for recorded in history]
    assert 1 == names.count("client-claimed")
    assert 1 == names.count("approach-made")
    assert len(replies) - 1 == names.count("approach-refused")
    fresh = Records(core.path.records.rulebook, core.path.records.codec, core.store)
    folded = (await fresh.at({journal_id: len(history)})).of(Ownership)
    [won] = filter(is_won, replies)
    told = await service.wire.call("GetOwnership", client_id=client_id)
    assert won.seller.id == folded.owner_id == told.owner_id
