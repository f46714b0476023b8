"""
What a purchase earns.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from hypothesis import given, settings
from hypothesis.strategies import fixed_dictionaries, integers, lists, randoms

from clientela.domain.ids import Code, WalletId
from clientela.domain.loyalty.earning import (
    EarningDeclined,
    IssuedLine,
    NoPoints,
    PointsIssued,
    paid_in_money,
    points_by_line,
)
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.lots import Allocation, lot_of_line
from clientela.domain.loyalty.programme import Award, Factor, Rounding, Shortfall
from clientela.domain.money import Money
from tests.domain.loyalty.shop import Shop, bought, key, line, programme
from tests.domain.spec import AT


END = datetime(2027, 3, 2, 23, 0, tzinfo=UTC)

ITEM = Award(
    points=1,
    per_minor=100,
    rounding=Rounding.LINE,
    factors=(
        Factor(percent=200, skus=(Code("b"),)),
        Factor(percent=0, categories=(Code("books"),)),
    ),
)
BASKET = Award(points=1, per_minor=100, rounding=Rounding.BASKET)


def issued(*lines: tuple[str, int, int], number: object = 1) -> PointsIssued:
    """Points issued now to lines: name, pieces, points."""
    return PointsIssued(
        purchase=key(number),
        lines=tuple(
            IssuedLine(line_id=Code(name), quantity=quantity, points=points)
            for name, quantity, points in lines
        ),
        effective_at=AT,
        expires_at=END,
        shortfall=Shortfall.DEBT,
    )


def test_each_line_earns_whole_points_of_its_own():
    """
    LOY-10: a point for each full euro of a line, rounded down; a line below a euro earns none.
    """
    shop = Shop()

    events = shop.write(bought(1, line("b", 1999, 2), line("a", 1000), line("c", 99)))

    assert issued(("a", 1, 10), ("b", 2, 19)) == events[-1]
    lots = {lot.lot_id: lot.remaining for lot in shop.wallet.lots.values()}
    assert {
        lot_of_line(key(1), Code("a")): 10,
        lot_of_line(key(1), Code("b")): 19,
    } == lots
    assert (shop.events[1].ref,) == shop.events[-1].because


def test_awards_add_up_and_goods_differ():
    """
    LOY-10: lines of 10, 10, 20 euros; item points 10, 20, 0 and basket points 40: 20, 30, 20.
    """
    goods = (
        line("A", 1000, sku="a"),
        line("B", 1000, sku="b"),
        line("C", 2000, sku="c", category="books"),
    )
    made = programme(awards=(ITEM, BASKET))

    assert {"A": 20, "B": 30, "C": 20} == points_by_line(made, bought(1, *goods))


def test_only_money_earns():
    """
    LOY-10: what is paid with points or a voucher earns nothing, line by line in proportion.
    """
    purchase = bought(
        1, line("a", 2500), line("b", 7500), points=400, points_minor=4000, voucher_minor=1000
    )

    assert {"a": 1250, "b": 3750} == paid_in_money(purchase)
    assert {"a": 12, "b": 37} == points_by_line(programme(), purchase)


@pytest.mark.parametrize(
    ("settings", "purchase", "days", "reason"),
    [
        ({}, bought(2, line("a", 99)), 0, NoPoints.NOTHING_DUE),
        ({}, bought(2, line("a", 0)), 0, NoPoints.NOTHING_DUE),
        (
            {},
            bought(2, attrs.evolve(line("a", 0), net=Money(5000, "USD"))),
            0,
            NoPoints.CURRENCY,
        ),
        ({"retro_days": 30}, bought(2, line("a", 5000)), 31, NoPoints.RETRO_WINDOW),
    ],
    ids=["small", "free", "currency", "late"],
)
def test_purchase_without_points_stands_and_says_why(settings, purchase, days, reason):
    """
    LOY-10: a purchase is never refused for its points; the wallet notes why there are none.
    """
    shop = Shop(programme(**settings))
    shop.write(bought(1, line("a", 1000)))

    events = shop.write(purchase, at=AT - timedelta(days=days))

    assert (EarningDeclined(purchase=key(2), reason=reason),) == events
    assert 10 == shop.wallet.issued


def test_purchase_on_the_last_day_of_the_retro_window_earns():
    """
    LOY-10: a purchase that arrives late, within the window, earns as of the day it was made.
    """
    shop = Shop(programme(retro_days=30))
    made_at = AT - timedelta(days=30)

    *_, event = shop.write(bought(1, line("a", 1000)), at=made_at)

    assert isinstance(event, PointsIssued)
    assert (made_at, datetime(2027, 1, 31, 23, 0, tzinfo=UTC)) == (
        event.effective_at,
        event.expires_at,
    )


def test_purchase_that_arrives_after_its_points_ended_earns_and_expires_at_once():
    """
    LOY-10: a lot past its end on arrival is issued and expired in one command (loyalty F8).
    """
    shop = Shop()
    made_at = AT - timedelta(days=400)

    *_, event = shop.write(bought(1, line("a", 1000), line("b", 500)), at=made_at)

    gone = (("a", 10), ("b", 5))
    assert (
        PointsExpired(
            points=15,
            allocations=tuple(
                Allocation(lot_id=lot_of_line(key(1), Code(name)), points=points)
                for name, points in gone
            ),
        )
        == event
    )
    assert datetime(2026, 1, 26, 23, 0, tzinfo=UTC) == shop.events[-1].occurred_at
    assert {} == shop.wallet.lots


def test_purchase_from_the_future_counts_from_now():
    """
    LOY-10: a till whose clock is ahead gives no points before their time.
    """
    shop = Shop()

    *_, event = shop.write(bought(1, line("a", 1000)), at=AT + timedelta(days=3))

    assert isinstance(event, PointsIssued)
    assert AT == event.effective_at


def test_purchase_heard_of_twice_earns_once():
    """
    LOY-10: the same purchase again gives nothing (loyalty invariant 12).
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))

    assert () == shop.write(bought(1, line("a", 1000)))


def test_purchase_into_another_wallet_is_none_of_this_ones():
    """
    LOY-5: a purchase earns in the wallet it names, and in no other.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))

    elsewhere = attrs.evolve(  # type: ignore[misc]  # an event is an attrs class
        bought(2, line("a", 1000)), wallet_id=WalletId("family")
    )

    assert () == shop.write(elsewhere)


GOODS = lists(
    fixed_dictionaries({"minor": integers(0, 5000), "quantity": integers(1, 4)}),
    min_size=1,
    max_size=6,
)


@given(goods=GOODS, voucher=integers(0, 20_000), random=randoms(use_true_random=False))
@settings(deadline=None)
def test_split_is_exact_and_does_not_depend_on_the_order_of_lines(goods, voucher, random):
    """
    LOY-10: basket points split over lines sum exactly, in whatever order lines stand (I19).
    """
    lines = [line(f"l{i}", **item) for i, item in enumerate(goods)]
    total = sum(item["minor"] for item in goods)
    voucher = min(voucher, total)
    made = programme(awards=(BASKET,))

    points = points_by_line(made, bought(1, *lines, voucher_minor=voucher))

    assert (total - voucher) // 100 == sum(points.values())
    random.shuffle(lines)
    assert points == points_by_line(made, bought(1, *lines, voucher_minor=voucher))
