"""
What a return takes back.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from clientela.domain.context import Definitions, DefinitionVersion
from clientela.domain.ids import Code
from clientela.domain.loyalty.balance import Balance, balance
from clientela.domain.loyalty.debt import DebtCreated
from clientela.domain.loyalty.lots import Allocation, LotId
from clientela.domain.loyalty.programme import Award, Factor, Programme, Rounding, Shortfall
from clientela.domain.loyalty.revocation import PointsRevoked, RevokedLine
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.money import Money
from tests.domain.loyalty.shop import WALLET, Shop, bought, key, line, programme, returned
from tests.domain.spec import AT


ITEM_AND_BASKET = (
    Award(
        points=1,
        per_minor=100,
        rounding=Rounding.LINE,
        factors=(
            Factor(percent=200, skus=(Code("b"),)),
            Factor(percent=0, skus=(Code("c"),)),
        ),
    ),
    Award(points=1, per_minor=100, rounding=Rounding.BASKET),
)

F4 = bought(1, line("A", 1000, sku="a"), line("B", 1000, sku="b"), line("C", 2000, sku="c"))
"""Earns A 20, B 30, C 20."""


def shop_of(shortfall: Shortfall = Shortfall.DEBT) -> Shop:
    """A shop with item points and basket points."""
    return Shop(programme(awards=ITEM_AND_BASKET, shortfall=shortfall))


def spend(points: int, number: object = "s1") -> SpendPoints:
    """Petra pays with points."""
    return SpendPoints(wallet_id=WALLET, spend=key(number), points=points)


def part(name: str, points: int) -> Allocation:
    """Points of one lot."""
    return Allocation(lot_id=LotId(name), points=points)


def test_return_takes_what_the_line_earned():
    """
    LOY-10: the return of a line takes its own 20 points, not its share of the basket (loyalty F4).
    """
    shop = shop_of()
    shop.write(F4)

    assert (
        PointsRevoked(
            purchase=key(1),
            return_key=key("r1"),
            lines=(
                RevokedLine(
                    line_id=Code("C"),
                    quantity=1,
                    points=20,
                    allocations=(part("till:1/C", 20),),
                ),
            ),
            policy=Shortfall.DEBT,
        ),
    ) == shop.write(returned("r1", (1, "C", 1)))
    back = next(e for e in shop.events if type(e.event).__name__ == "ReturnRecorded")
    issue = next(e for e in shop.events if type(e.event).__name__ == "PointsIssued")
    assert (back.ref, issue.ref) == shop.events[-1].because


@pytest.mark.parametrize("order", ["ABC", "BCA", "CBA", "CAB"])
def test_all_returns_take_all_points_in_any_order(order):
    """
    LOY-10: A, B and C returned in any order take 70 (loyalty F4).
    """
    shop = shop_of()
    shop.write(F4)

    for name in order:
        shop.write(returned(f"r{name}", (1, name, 1)))

    assert (70, 0) == (shop.wallet.revoked, balance(shop.wallet, AT).points)


def test_missing_points_are_owed():
    """
    LOY-10: with 60 of 70 spent, the return of C takes the 10 left and 10 are owed (loyalty F4).
    """
    shop = shop_of()
    shop.write(F4)
    shop.when(spend(60))

    _, owed = shop.write(returned("r1", (1, "C", 1)))

    assert DebtCreated(points=10, purchase=key(1), return_key=key("r1")) == owed
    assert Balance(available=0, held=0, debt=10) == balance(shop.wallet, AT)
    assert -10 == balance(shop.wallet, AT).points


def test_missing_points_are_forgiven_where_the_programme_says_so():
    """
    LOY-10: the same with the policy clamp: 10 taken, 10 forgiven, nothing owed (loyalty F4).
    """
    shop = shop_of(Shortfall.CLAMP)
    shop.write(F4)
    shop.when(spend(60))

    (revoked,) = shop.write(returned("r1", (1, "C", 1)))

    assert isinstance(revoked, PointsRevoked)
    assert (10, 10, None) == (revoked.charged, revoked.shortfall, revoked.deducted)
    assert (10, 0) == (shop.wallet.forgiven, shop.wallet.debt)


def test_missing_points_are_deducted_from_the_refund_where_the_programme_says_so():
    """
    LOY-10: the same with the third policy: 10 points are one euro less to pay back.
    """
    shop = shop_of(Shortfall.DEDUCT_FROM_REFUND)
    shop.write(F4)
    shop.when(spend(60))

    (revoked,) = shop.write(returned("r1", (1, "C", 1)))

    assert isinstance(revoked, PointsRevoked)
    assert Money(100, "EUR") == revoked.deducted
    assert (10, 0) == (shop.wallet.deducted, shop.wallet.debt)
    (revoked,) = shop.write(returned("r2", (1, "A", 1)))
    assert isinstance(revoked, PointsRevoked)
    assert Money(200, "EUR") == revoked.deducted


def test_the_lines_own_points_go_first_then_others_that_expire_first():
    """
    LOY-10: what the line's own lot lacks is taken from other lots, in spending order.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))
    shop.when(spend(7))
    shop.at(AT + timedelta(days=2))
    shop.write(bought(3, line("a", 1000)))
    shop.at(AT + timedelta(days=1))
    shop.write(bought(2, line("a", 200)))

    (revoked,) = shop.write(returned("r1", (1, "a", 1)))

    assert isinstance(revoked, PointsRevoked)
    taken = (part("till:1/a", 3), part("till:2/a", 2), part("till:3/a", 5))
    assert taken == revoked.lines[0].allocations


def test_expired_points_are_not_charged_again():
    """
    LOY-10: of 10 points 4 were spent and 6 expired: the return charges the 4 only (loyalty F4).
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000, 2)))
    shop.when(spend(4))
    shop.advance(AT + timedelta(days=400))
    shop.write(bought(2, line("a", 10_000)))

    (half,) = shop.write(returned("r1", (1, "a", 1)))
    (rest,) = shop.write(returned("r2", (1, "a", 1)))

    assert isinstance(half, PointsRevoked)
    assert isinstance(rest, PointsRevoked)
    assert (5, 5, ()) == (half.lines[0].points, half.lines[0].excused, half.lines[0].allocations)
    assert (5, 1, (part("till:2/a", 4),)) == (
        rest.lines[0].points,
        rest.lines[0].excused,
        rest.lines[0].allocations,
    )


def test_pieces_take_their_share_and_the_last_takes_the_rest():
    """
    LOY-10: 10 points on 3 pieces go as 3, 3 and 4, however they come back (I14).
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000, 3)))

    for number in range(5):
        shop.write(returned(f"r{number}", (1, "a", 1)))

    taken = [e.event for e in shop.events if isinstance(e.event, PointsRevoked)]
    assert [3, 3, 4] == [event.lines[0].points for event in taken]
    assert 10 == shop.wallet.revoked


def test_pieces_whose_share_is_nothing_are_counted():
    """
    LOY-10: one point on two pieces: the first takes none, the second takes it.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 100, 2)))

    (none,) = shop.write(returned("r1", (1, "a", 1)))
    (one,) = shop.write(returned("r2", (1, "a", 1)))

    assert isinstance(none, PointsRevoked)
    assert isinstance(one, PointsRevoked)
    assert (0, 1) == (none.charged, one.charged)


def test_return_is_reckoned_by_the_rules_of_the_purchase():
    """
    LOY-10: a later programme changes neither what a return takes nor who bears the rest (I20).
    """
    shop = shop_of(Shortfall.CLAMP)
    shop.write(F4)
    shop.when(spend(70))
    later = programme(
        awards=(Award(points=9, per_minor=1, rounding=Rounding.LINE),), shortfall=Shortfall.DEBT
    )
    version = DefinitionVersion(2, AT, {Programme: later})
    shop.definitions = Definitions((*shop.definitions.versions, version))

    (revoked,) = shop.write(returned("r1", (1, "C", 1)))

    assert isinstance(revoked, PointsRevoked)
    assert (20, Shortfall.CLAMP) == (revoked.shortfall, revoked.policy)
    assert "loyalty@1" == shop.events[-1].definition


def test_return_of_what_earned_nothing_takes_nothing():
    """
    LOY-10: a purchase without points is returned without points.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))
    shop.write(bought(2, line("a", 99)))

    assert () == shop.write(returned("r1", (2, "a", 1), (9, "a", 1)))
