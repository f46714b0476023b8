"""
Points given or taken by hand.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import Code
from clientela.domain.loyalty.adjustment import AdjustPoints, PointsGranted, PointsWithdrawn
from clientela.domain.loyalty.debt import DebtRepaid
from clientela.domain.loyalty.lots import POINTS_MAX, Allocation, LotId
from clientela.domain.loyalty.refusals import (
    AmountNotPositiveError,
    InsufficientPointsError,
    ProgrammeInactiveError,
)
from clientela.domain.loyalty.spending import SpendPoints
from tests.domain.loyalty.shop import WALLET, Shop, bought, key, line, programme, returned
from tests.domain.spec import AT


def adjust(points: int, number: object = "g1", **changes: object) -> AdjustPoints:
    """Somebody gives Petra points, or takes them."""
    return AdjustPoints(
        wallet_id=WALLET,
        adjustment=key(number),
        points=points,
        reason=Code("goodwill"),
        **changes,  # type: ignore[arg-type]
    )


@pytest.fixture
def shop() -> Shop:
    """Petra has earned 10 points."""
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))
    return shop


def test_points_given_expire_as_the_programme_says(shop):
    """
    LOY-10: points given by hand form a lot of their own, with the expiry of earned ones.
    """
    assert (
        PointsGranted(
            adjustment=key("g1"),
            points=50,
            reason=Code("goodwill"),
            effective_at=AT,
            expires_at=datetime(2027, 3, 2, 23, 0, tzinfo=UTC),
        ),
    ) == shop.when(adjust(50))
    assert 50 == shop.wallet.lots[LotId("till:g1/%adjustment")].remaining


def test_points_given_may_have_a_last_day_and_a_priority(shop):
    """
    LOY-10: an opening balance keeps its own end, and promotional points can be spent first.
    """
    shop.when(adjust(5, expires_on=date(2026, 3, 31), priority=-1))

    (spent,) = shop.when(SpendPoints(wallet_id=WALLET, spend=key("s1"), points=6))

    assert (
        Allocation(lot_id=LotId("till:g1/%adjustment"), points=5),
        Allocation(lot_id=LotId("till:1/a"), points=1),
    ) == spent.allocations
    ends = shop.wallet.empty_lots[LotId("till:g1/%adjustment")].expires_at
    assert datetime(2026, 3, 31, 22, 0, tzinfo=UTC) == ends


def test_points_given_repay_what_is_owed(shop):
    """
    LOY-10: goodwill to a client who owes points repays them first (loyalty invariant 7).
    """
    shop.when(SpendPoints(wallet_id=WALLET, spend=key("s1"), points=10))
    shop.write(returned("r1", (1, "a", 1)))
    debt = shop.events[-1].ref

    _, repaid = shop.when(adjust(15))

    part = Allocation(lot_id=LotId("till:g1/%adjustment"), points=10)
    assert DebtRepaid(points=10, allocations=(part,)) == repaid
    assert (debt, shop.events[-2].ref) == shop.events[-1].because
    assert (0, ()) == (shop.wallet.debt, shop.wallet.debts)


def test_points_are_taken_from_what_expires_first_and_never_beyond(shop):
    """
    LOY-10: a correction takes what is there, and is refused what is not (loyalty invariant 6).
    """
    assert (
        PointsWithdrawn(
            adjustment=key("g1"),
            points=4,
            reason=Code("goodwill"),
            allocations=(Allocation(lot_id=LotId("till:1/a"), points=4),),
        ),
    ) == shop.when(adjust(-4))
    with pytest.raises(InsufficientPointsError):
        shop.when(adjust(-7, "g2"))


def test_same_adjustment_is_made_once(shop):
    """
    LOY-10: an adjustment sent again changes nothing, and with other points it is an error (I12).
    """
    shop.when(adjust(50))

    assert () == shop.when(adjust(50))
    with pytest.raises(MismatchError):
        shop.when(adjust(51))


@pytest.mark.parametrize("points", [0, POINTS_MAX + 1, -POINTS_MAX - 1])
def test_adjustments_have_bounds(shop, points):
    """
    LOY-10: no points, or beyond all bounds, is no adjustment.
    """
    with pytest.raises(AmountNotPositiveError):
        shop.when(adjust(points))


def test_points_are_not_given_dead_or_out_of_order(shop):
    """
    LOY-10: points that would have ended already are not given, nor ones of an absurd priority.
    """
    with pytest.raises(InvalidValueError, match="expires_on: expected today or later"):
        shop.when(adjust(1, expires_on=AT.date() - timedelta(days=1)))
    with pytest.raises(InvalidValueError, match="priority"):
        shop.when(adjust(1, priority=1001))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"])
def test_the_last_day_there_is_cannot_be_that_of_points(zone):
    """
    LOY-10: the day after the last one does not exist, so points cannot end with it; those that
    never end are given without a day.
    """
    shop = Shop(programme(zone=Code(zone)))
    shop.write(bought(1, line("a", 1000)))

    with pytest.raises(InvalidValueError, match="expires_on: expected a day before 9999-12-31"):
        shop.when(adjust(1, expires_on=date.max))
    assert 1 == len(shop.when(adjust(1, expires_on=date.max - timedelta(days=1))))


def test_points_need_a_wallet_and_a_programme():
    """
    LOY-10: nobody gets points without taking part, or where there is no programme.
    """
    shop = Shop()
    with pytest.raises(UnknownError, match="no wallet petra"):
        shop.when(adjust(1))
    shop.write(bought(1, line("a", 1000)))
    shop.definitions = Shop(programme(awards=(), spending=None, currency=None)).definitions
    with pytest.raises(ProgrammeInactiveError, match="currency"):
        shop.when(adjust(1))
