"""
Repeats as callers see them: what was on record already is told as it is on record.
"""

from __future__ import annotations

import pytest

from clientela.services.clocks import VirtualClock
from tests.system.story import AT, ONE_DAY, TOWN, bought, brought_back, receipt, step
from tests.system.town import town


@pytest.mark.parametrize("is_trial", [False, True])
async def test_repeat_is_told_what_is_on_record_though_time_has_gone_on(tmp_path, is_trial):
    """
    G13: a purchase and a return with their identities once more, in other attempts, when something
    is due on the same journals: they are told what they came to, not what time has done.
    """
    purchase, back = bought("lena", "late", 50, quantity=2), brought_back("lena", "b", sku="tea")
    async with town(tmp_path) as service:
        wire, clock = service.wire, service.running.core.clock
        assert isinstance(clock, VirtualClock)
        await wire.call(purchase.method, **purchase.fields)
        first = await wire.call(back.method, **back.fields)
        assert 25 == first.points_revoked

        clock.move(AT + 100 * ONE_DAY)
        again = await wire.call(back.method, **back.fields, validate_only=is_trial)
        assert first.outcome.versions != again.outcome.versions
        first.ClearField("outcome")
        again.ClearField("outcome")
        assert first == again

        clock.move(AT + 400 * ONE_DAY)
        told = await wire.call(purchase.method, **purchase.fields)
        assert (1, 50) == (told.purchase.back[0].quantity, told.points_issued)


@pytest.mark.parametrize("is_trial", [False, True])
async def test_repeat_of_a_payment_is_told_what_its_points_paid_then(tmp_path, is_trial):
    """
    LOY-10: points that paid are worth what they paid, though a point is worth more by now: whoever
    asks once more, in another attempt, is told no other sum.
    """
    earned = bought("lena", "earned", 50)
    paid = step("SpendPoints", wallet_id="lena", spend=receipt("paid"), points=20)
    async with town(tmp_path) as service:
        wire = service.wire
        await wire.call(earned.method, **earned.fields)
        first = await wire.call(paid.method, **paid.fields)
        await wire.call("AdvanceClock", to=AT + 41 * ONE_DAY)
        dearer = TOWN.replace("worth_minor = 1", "worth_minor = 3")
        await wire.call("ApplyDefinitions", toml=dearer)

        again = await wire.call(paid.method, **paid.fields, validate_only=is_trial)
        more = await wire.call(
            paid.method, **{**paid.fields, "spend": receipt("more")}, validate_only=is_trial
        )

        nanos = [told.worth.nanos for told in (first, again, more)]
        assert [200_000_000, 200_000_000, 600_000_000] == nanos
        assert 90 == again.balance.worth.nanos // 10_000_000
