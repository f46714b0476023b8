"""
Sums as callers see them: they grow beyond what one amount may be.
"""

from __future__ import annotations

from clientela.domain.money import AMOUNT_MINOR_MAX
from tests.system.story import bought, brought_back, receipt
from tests.system.town import town


LARGEST = AMOUNT_MINOR_MAX // 100
"""Euros of the largest amount there is."""


async def test_sums_of_the_largest_amounts_are_told(tmp_path):
    """
    REC-3: what was sold and paid back is told however much it is, of a company and of a purchase;
    one amount is bounded, their sum is not.
    """
    async with town(tmp_path) as service:
        wire = service.wire
        before = (await wire.call("GetStats")).trade
        first, second = (bought("lena", n, LARGEST, quantity=2) for n in ("l-1", "l-2"))
        refund = {"units": LARGEST, "currency_code": "EUR"}
        for each in (first, second):
            await wire.call(each.method, **each.fields)
        for number in ("b-1", "b-2"):
            back = brought_back("lena", number, purchase=receipt("l-1"), line_id="1", refund=refund)
            await wire.call(back.method, **back.fields)

        trade = (await wire.call("GetStats")).trade
        assert 2 * LARGEST == trade.revenue[0].units - before.revenue[0].units
        assert 2 * LARGEST == trade.refunds[0].units - before.refunds[0].units
        [line] = (await wire.call("GetPurchase", purchase=receipt("l-1"))).back
        assert (2, 2 * LARGEST) == (line.quantity, line.refund.units)
        again = await wire.call(first.method, **first.fields)
        assert [line] == list(again.purchase.back)
