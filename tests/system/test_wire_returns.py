"""
Returns as callers see them: points go back to where they were credited, whatever is named.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.story import TOWN, bought, brought_back, receipt
from tests.system.town import town
from tests.system.wire import Wire


async def revoked(wire: Wire, wallet_id: str) -> int:
    """Points that returns took from a wallet, of all time."""
    balance: Any = await wire.call("GetBalance", wallet_id=wallet_id)
    return int(balance.totals.revoked)


@pytest.mark.parametrize("named", ["", "pavel"])
async def test_return_at_a_till_that_does_not_know_the_wallet_takes_its_points(tmp_path, named):
    """
    LOY-10: Petra's purchase is credited to Lena's wallet and comes back naming none or another one:
    Lena's points go, once; what is on record agrees, and the same rules make the same of it.
    """
    purchase = bought("petra", "shared", 40, quantity=4)
    back = brought_back("petra", "shared-back", sku="tea", purchase=receipt("shared"))
    async with town(tmp_path) as service:
        wire, follow_ups = service.wire, service.running.core.follow_ups
        await wire.call(purchase.method, **{**purchase.fields, "wallet_id": "lena"})
        before = await revoked(wire, "lena")

        told = await wire.call(back.method, **{**back.fields, "wallet_id": named})
        assert (1, 0) == (len(told.matched), told.points_revoked)
        await follow_ups.catch_up()
        await wire.call(back.method, **{**back.fields, "wallet_id": named})
        await follow_ups.catch_up()

        assert 10 == await revoked(wire, "lena") - before
        verified = await wire.call("Verify")
        assert ([], []) == (list(verified.problems), list(verified.parked_follow_ups))
        [end] = await wire.stream("Backtest", toml=TOWN)
        assert 0 == end.summary.differences
