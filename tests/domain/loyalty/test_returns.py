"""
Returns and purchases in any order.
"""

from __future__ import annotations

import pytest

from hypothesis import given, settings
from hypothesis.strategies import booleans, integers, lists, permutations, sampled_from

from clientela.domain.ids import Code, wallet_journal
from clientela.domain.loyalty.balance import balance
from clientela.domain.loyalty.ledger import LOYALTY
from clientela.domain.loyalty.lots import spend_order
from clientela.domain.loyalty.programme import Award, Rounding, Shortfall
from clientela.domain.loyalty.returns import ReturnParked, ReturnResumed
from clientela.domain.loyalty.spending import SpendPoints
from clientela.domain.loyalty.traces import Pieces
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.purchase.matching import Wanted
from clientela.domain.purchase.recording import PURCHASE, RecordPurchase, RecordReturn
from tests.domain.loyalty.shop import (
    PETRA,
    REGISTRAR,
    WALLET,
    Registered,
    Shop,
    Write,
    bought,
    key,
    line,
    matched,
    programme,
    returned,
)
from tests.domain.spec import AT, Scenario


@pytest.mark.parametrize(
    "rule_sets", [(PURCHASE, LOYALTY), (LOYALTY, PURCHASE)], ids=["purchase-first", "loyalty-first"]
)
def test_return_that_comes_before_its_purchase_takes_its_points(rule_sets):
    """
    LOY-10: whichever rule set hears of the purchase first, a return that waited for it takes what
    it earned (loyalty F8).
    """
    shop = Scenario(REGISTRAR, *rule_sets, sections=[programme()])
    back = Wanted(quantity=2, sku=Code("tea"), purchase=key(2))
    shop.when(
        Write((Registered(client_id=PETRA),)),
        RecordPurchase(client_id=PETRA, purchase=key(1), lines=(line("a", 1000),)),
        RecordReturn(client_id=PETRA, return_key=key("r1"), currency="EUR", lines=(back,)),
        RecordPurchase(client_id=PETRA, purchase=key(2), lines=(line("a", 3000, 3),)),
    )

    wallet = shop.record(wallet_journal(WALLET)).of(Wallet)

    assert (40, 20) == (wallet.issued, wallet.revoked)
    assert {} == wallet.parked


def test_parked_returns_wait_and_are_taken_in_order():
    """
    LOY-10: returns of a purchase not heard of yet wait for it, each under its own number.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))
    first, second = (Pieces(line_id=Code("a"), quantity=n) for n in (1, 2))

    assert (ReturnParked(purchase=key(2), return_key=key("r1"), pieces=(first,)),) == shop.write(
        matched("r1", (2, "a", 1))
    )
    shop.write(matched("r2", (2, "a", 2)))
    assert 2 == len(shop.wallet.parked[key(2)])
    events = shop.write(bought(2, line("a", 1000, 4)))

    assert ["PointsIssued", "ReturnResumed", "PointsRevoked", "ReturnResumed", "PointsRevoked"] == [
        type(event).__name__ for event in events
    ]
    assert ReturnResumed(purchase=key(2), return_key=key("r2"), pieces=(second,)) == events[3]
    assert (7, {}) == (shop.wallet.revoked, shop.wallet.parked)


def test_return_matched_right_after_a_purchase_without_points_does_not_wait():
    """
    LOY-10: a purchase that earned nothing was heard of all the same.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000)))

    assert 1 == len(shop.write(bought(2, line("a", 10)), matched("r1", (2, "a", 1))))
    assert {} == shop.wallet.parked


def test_without_a_wallet_a_matched_return_does_nothing():
    """
    LOY-10: who takes no part neither earns nor owes.
    """
    assert () == Shop().write(matched("r1", (2, "a", 1)))


def test_one_return_of_several_purchases_is_taken_purchase_by_purchase():
    """
    LOY-10: a return may hold lines of many purchases; each is reckoned by its own.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 1000), line("b", 500)))
    shop.write(bought(2, line("a", 700)))

    events = shop.write(returned("r1", (2, "a", 1), (1, "b", 1), (1, "a", 1)))

    assert [(key(1), 15), (key(2), 7)] == [(e.purchase, e.charged) for e in events]  # type: ignore[attr-defined]
    assert {} == shop.wallet.lots


def test_purchases_of_one_return_get_their_points_back_in_order():
    """
    LOY-10: in whatever order a return lists its lines, purchases are taken by their numbers.
    """
    shop = Shop()
    shop.write(bought(1, line("a", 20_000)))
    for number in (2, 3):
        shop.when(
            SpendPoints(wallet_id=WALLET, spend=key(f"s{number}"), points=50, purchase=key(number))
        )
        shop.write(bought(number, line("a", 500), points=50, points_minor=500))

    events = shop.write(returned("r1", (3, "a", 1), (2, "a", 1)))

    assert [key(2), key(3)] == [event.purchase for event in events]  # type: ignore[attr-defined]
    assert 100 == shop.wallet.restored


QUANTITIES = lists(integers(1, 4), min_size=1, max_size=3)
POLICIES = sampled_from(tuple(Shortfall))


def _life(quantities: list[int], policy: Shortfall, spent: int, parts: list[tuple[str, int]]):
    awards = (
        Award(points=7, per_minor=300, rounding=Rounding.BASKET),
        Award(points=1, per_minor=90, rounding=Rounding.LINE),
    )
    shop = Shop(programme(awards=awards, shortfall=policy))
    shop.write(bought(1, line("a", 20_000)))
    lines = [line(f"l{i}", 997 * (i + 1), quantity) for i, quantity in enumerate(quantities)]
    pay = SpendPoints(wallet_id=WALLET, spend=key("s1"), points=90, purchase=key(2))
    shop.when(pay)
    shop.write(bought(2, *lines, points=90, points_minor=900))
    there = balance(shop.wallet, AT).available
    if spent:
        shop.when(SpendPoints(wallet_id=WALLET, spend=key("s2"), points=there * spent // 4))
    for number, (name, quantity) in enumerate(parts):
        shop.write(returned(f"r{number}", (2, name, quantity)))
    return shop


@given(
    quantities=QUANTITIES,
    policy=POLICIES,
    spent=integers(0, 4),
    data=integers(0, 10**6),
    in_pieces=booleans(),
)
@settings(deadline=None)
def test_any_split_of_a_return_in_any_order_ends_the_same(
    quantities, policy, spent, data, in_pieces
):
    """
    LOY-10: partial returns of any size and order assess and restore what one does (I14).
    """
    whole = [(f"l{i}", quantity) for i, quantity in enumerate(quantities)]
    pieces = [(name, 1) for name, quantity in whole for _ in range(quantity)]
    parts = pieces if in_pieces else whole
    turn = data % len(parts)
    parts = parts[turn:] + parts[:turn]
    if data % 2:
        parts.reverse()

    at_once = _life(quantities, policy, spent, [])
    at_once.write(returned("r", *((2, name, quantity) for name, quantity in whole)))
    one, many = at_once.wallet, _life(quantities, policy, spent, parts).wallet

    assert one.restored == many.restored
    assert [line.revoked for line in one.earnings[key(2)].lines] == [
        line.points for line in many.earnings[key(2)].lines
    ]
    assert one.earnings[key(2)].lines == many.earnings[key(2)].lines


@given(quantities=QUANTITIES, policy=POLICIES)
@settings(deadline=None)
def test_earning_and_full_return_leave_nothing_behind(quantities, policy):
    """
    LOY-10: a purchase and its full return, with nothing between, leave the wallet as it was (I15).
    """
    shop = Shop(programme(shortfall=policy))
    shop.write(bought(1, line("a", 20_000)))
    before = shop.wallet
    lines = [line(f"l{i}", 997 * (i + 1), quantity) for i, quantity in enumerate(quantities)]

    shop.write(bought(2, *lines))
    shop.write(returned("r", *((2, f"l{i}", quantity) for i, quantity in enumerate(quantities))))

    assert before.lots == shop.wallet.lots
    assert balance(before, AT) == balance(shop.wallet, AT)
    assert (0, 0) == (shop.wallet.forgiven, shop.wallet.deducted)


FACTS = (
    bought(1, line("a", 1000, 2)),
    bought(2, line("a", 1999), line("b", 550, 3)),
    bought(3, line("a", 333)),
    matched("r1", (1, "a", 1)),
    matched("r2", (2, "a", 1), (2, "b", 2)),
    matched("r3", (3, "a", 1)),
)


@given(facts=permutations(FACTS))
@settings(deadline=None)
def test_purchases_and_returns_heard_in_any_order_end_the_same(facts):
    """
    LOY-10: earn and return facts that overtake each other give equal lots and totals (I17).
    """
    shop = Shop()
    shop.write(bought(0, line("a", 50_000)))

    for fact in facts:
        shop.write(fact)

    wallet = shop.wallet
    left = {lot.lot_id: lot.remaining for lot in sorted(wallet.lots.values(), key=spend_order)}
    assert {"till:0/a": 500, "till:1/a": 5, "till:2/b": 2} == left
    assert (537, 30, 0) == (wallet.issued, wallet.revoked, wallet.debt)
