"""
Points that had paid for what came back.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from clientela.domain.ids import Code
from clientela.domain.loyalty.adjustment import AdjustPoints
from clientela.domain.loyalty.balance import balance
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.lots import Allocation, LotId
from clientela.domain.loyalty.programme import Shortfall
from clientela.domain.loyalty.restoration import PointsRestored, RestoredLine, tender_of
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.money import Money
from tests.domain.loyalty.shop import WALLET, Shop, bought, key, line, programme, returned
from tests.domain.spec import AT


F6 = bought(2, line("a", 2500), line("b", 7500, 3), points=400, points_minor=4000)
"""100.00, of which 40.00 are paid with 400 points."""

PAY = SpendPoints(wallet_id=WALLET, spend=key("s1"), points=400, purchase=key(2))


def part(name: str, points: int) -> Allocation:
    """Points of one lot."""
    return Allocation(lot_id=LotId(name), points=points)


@pytest.fixture
def shop() -> Shop:
    """Petra has 100 points that expire today and 500 that last a year."""
    shop = Shop()
    shop.write(bought(1, line("a", 50_000)))
    shop.when(
        AdjustPoints(
            wallet_id=WALLET,
            adjustment=key("gift"),
            points=100,
            reason=Code("goodwill"),
            expires_on=AT.date(),
        )
    )
    return shop


@pytest.mark.parametrize("spent_first", [True, False])
def test_refund_is_split_as_the_payment_was(shop, spent_first):
    """
    LOY-10: of 100.00 paid 60.00 and 400 points, a line of 25.00 gives 15.00 and 100 points (F6).
    """
    first, second = (PAY,), (F6,)
    if spent_first:
        shop.when(*first)
        shop.write(*second)
    else:
        shop.write(*second)
        shop.when(*first)

    refund = tender_of(shop.wallet, key(2), Code("a"), 1, Money(2500, "EUR"))
    restored, *_ = shop.write(returned("r1", (2, "a", 1)))

    assert (Money(1500, "EUR"), 100) == refund
    assert (
        PointsRestored(
            purchase=key(2),
            return_key=key("r1"),
            lines=(RestoredLine(line_id=Code("a"), quantity=1, points=100),),
            allocations=(part("till:1/a", 75), part("till:gift/%adjustment", 25)),
        )
        == restored
    )
    assert 600 + 60 - 400 + 100 - 15 == balance(shop.wallet, AT).points


def test_full_return_gives_everything_back(shop):
    """
    LOY-10: piece by piece all points come back, and no more than were spent (I13, I14).
    """
    shop.when(PAY)
    shop.write(F6)

    for number in range(4):
        shop.write(returned(f"r{number}", (2, "b", 1)))
    shop.write(returned("ra", (2, "a", 1)))

    assert (400, 400) == (shop.wallet.captured, shop.wallet.restored)
    assert 600 == balance(shop.wallet, AT).points
    assert () == shop.wallet.redemptions[key(2)].captured
    assert (Money(2500, "EUR"), 0) == tender_of(
        shop.wallet, key(2), Code("a"), 1, Money(2500, "EUR")
    )


def test_till_that_says_more_than_was_spent_gives_back_what_was_spent(shop):
    """
    LOY-10: a purchase said to be paid with 400 points of which 300 were spent gives 300 back (I13).
    """
    shop.when(SpendPoints(wallet_id=WALLET, spend=key("s1"), points=300, purchase=key(2)))
    shop.write(F6)

    shop.write(returned("r1", (2, "a", 1), (2, "b", 3)))

    assert 300 == shop.wallet.restored


def test_points_come_back_to_their_lots_and_no_longer_life(shop):
    """
    LOY-10: what had expired meanwhile comes back and expires in the same command (I16).
    """
    shop.when(PAY)
    shop.write(F6)
    shop.advance(AT + timedelta(days=1))

    events = shop.write(returned("r1", (2, "a", 1), (2, "b", 3)))

    assert PointsRestored is type(events[0])
    assert PointsExpired(points=100, allocations=(part("till:gift/%adjustment", 100),)) == events[1]
    assert 500 == shop.wallet.lots[LotId("till:1/a")].remaining
    assert 500 == balance(shop.wallet, shop.now).points


def test_points_coming_back_answer_for_points_taken():
    """
    LOY-10: what a return gives back is there before it takes, so that nothing is forgiven.
    """
    shop = Shop(programme(shortfall=Shortfall.CLAMP))
    shop.write(bought(1, line("a", 40_000)))
    shop.when(PAY)
    shop.write(F6)
    shop.when(SpendPoints(wallet_id=WALLET, spend=key("s2"), points=60))

    restored, revoked = shop.write(returned("r1", (2, "a", 1), (2, "b", 3)))

    assert PointsRestored is type(restored)
    assert isinstance(revoked, PointsRevoked)
    assert (60, 0) == (revoked.charged, revoked.shortfall)
    assert 340 == balance(shop.wallet, AT).points


def test_points_coming_back_repay_what_is_owed_first():
    """
    LOY-10: with points owed, what comes back repays them before anything else (I7).
    """
    shop = Shop()
    shop.write(bought(1, line("a", 40_000)))
    shop.when(PAY)
    shop.write(F6)
    shop.when(SpendPoints(wallet_id=WALLET, spend=key("s2"), points=60))
    shop.write(returned("r1", (1, "a", 1)))
    assert 400 == shop.wallet.debt

    events = shop.write(returned("r2", (2, "a", 1)))

    assert ["PointsRestored", "DebtRepaid", "PointsRevoked", "DebtCreated"] == [
        type(event).__name__ for event in events
    ]
    assert 400 - 100 + 15 == shop.wallet.debt


def test_purchase_not_paid_in_points_is_refunded_in_money(shop):
    """
    LOY-10: without points tendered a refund is money alone.
    """
    price = Money(2500, "EUR")

    assert (price, 0) == tender_of(shop.wallet, key(1), Code("a"), 1, price)
