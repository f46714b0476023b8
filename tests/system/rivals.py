"""
Many who want what one of them can have, spread over processes, and what came of it.
"""

from __future__ import annotations

import asyncio

from collections import Counter
from collections.abc import Sequence

import attrs
import grpc.aio

from tests.services.edge import refusal_of
from tests.system.wire import Wire


CLAIMANTS = 32

SPENDERS = 64

ROUNDS_AT_ONCE = 16
"""Rounds of claims that go on side by side."""

EARNED = 3_000
"""Points of a wallet before they are spent."""

ASKED = 100
"""Points that each spender asks for: all of them together more than there are."""

WON = "won"
TAKEN = "FAILED_PRECONDITION CLIENT_TAKEN"
SHORT = "FAILED_PRECONDITION INSUFFICIENT_POINTS"

ONE_WINS = Counter({WON: 1, TAKEN: CLAIMANTS - 1})
"""What every round of claims must come to."""

ALL_IS_SPENT = Counter({WON: EARNED // ASKED, SHORT: SPENDERS - EARNED // ASKED})
"""What spending must come to."""

DEFINITIONS = """
[ownership]
lapses_after_days = 1

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
class Spent:
    """
    What came of spending.

    Attributes:
        outcomes: How often each.

        left: Balance that every process tells at the end.
    """

    outcomes: Counter[str]
    left: frozenset[int]


async def prepare(wire: Wire) -> None:
    """Definitions and sellers."""
    await wire.call("ApplyDefinitions", toml=DEFINITIONS)
    await wire.call("RegisterUnit", unit_id="north", kind=1, label="north")
    for number in range(CLAIMANTS):
        await wire.call(
            "RegisterEmployee",
            employee_id=f"s-{number}",
            unit_id="north",
            name=f"Seller {number}",
            roles=["salesperson"],
        )


async def claimed(wires: Sequence[Wire], rounds: int, name: str = "client") -> list[Counter[str]]:
    """Rounds of claims, each for a new client, spread over *wires*: what came of each of them."""
    room = asyncio.Semaphore(ROUNDS_AT_ONCE)

    async def claims(number: int) -> Counter[str]:
        client_id = f"{name}-{number}"
        async with room:
            await wires[number % len(wires)].call("RegisterClient", client_id=client_id)
            return Counter(
                await asyncio.gather(
                    *(
                        told(
                            wires[(number + seller) % len(wires)],
                            "Approach",
                            request_id=f"{client_id}-{seller}",
                            client_id=client_id,
                            employee_id=f"s-{seller}",
                            channel="phone",
                        )
                        for seller in range(CLAIMANTS)
                    )
                )
            )

    return list(await asyncio.gather(*map(claims, range(rounds))))


async def spent(wires: Sequence[Wire], client_id: str) -> Spent:
    """Points of a new wallet spent by many at the same time, spread over *wires*."""
    net = {"units": EARNED, "currency_code": "EUR"}
    await wires[0].call("RegisterClient", client_id=client_id)
    await wires[0].call("OpenWallet", client_id=client_id)
    await wires[0].call(
        "RecordPurchase",
        client_id=client_id,
        purchase={"source": "till", "id": client_id},
        lines=[{"line_id": "1", "sku": "tea", "quantity": 1, "net": net}],
    )
    outcomes = await asyncio.gather(
        *(
            told(
                wires[number % len(wires)],
                "SpendPoints",
                request_id=f"{client_id}-{number}",
                wallet_id=client_id,
                spend={"source": f"till-{number}", "id": client_id},
                points=ASKED,
            )
            for number in range(SPENDERS)
        )
    )
    balances = [await wire.call("GetBalance", wallet_id=client_id) for wire in wires]
    return Spent(Counter(outcomes), frozenset(balance.available for balance in balances))


async def told(wire: Wire, method: str, /, **fields: object) -> str:
    """What a caller is told: that it won, or the code and reason of the refusal."""
    request = wire.request(method, **fields)
    while True:
        try:
            await wire.send(method, request)
        except grpc.aio.AioRpcError as error:
            refusal = refusal_of(error)
            if refusal.code != "RESOURCE_EXHAUSTED":
                return f"{refusal.code} {refusal.reason}"
            await asyncio.sleep(refusal.retry_seconds or 0)
        else:
            return WON
