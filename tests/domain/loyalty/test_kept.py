"""
Lots and earnings, packed: as they were, lots in the order in which they are spent.
"""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, Code, Ref, WalletId, wallet_journal
from clientela.domain.loyalty import kept_earnings, kept_lots
from clientela.domain.loyalty.lots import Lot, lot_of_adjustment, lot_of_line
from clientela.domain.loyalty.programme import PointValue, Shortfall
from clientela.domain.loyalty.traces import EarnedLine, Earning
from clientela.domain.money import Money
from clientela.domain.packed import NOTHING
from tests.domain.spec import AT


HOME = wallet_journal(WalletId("petra"))
PURCHASE = BusinessKey(Code("till"), BusinessId("a/b|c,d:e%"))
OTHER = BusinessKey(Code("till"), BusinessId("a"))
EARNED = Lot(
    lot_id=lot_of_line(PURCHASE, Code("1/x%")),
    issued=20,
    remaining=12,
    effective_at=AT,
    expires_at=AT + timedelta(days=30, microseconds=1),
    definition=Code("loyalty@3"),
    issue=Ref(HOME, 7),
    held=2,
    expired=1,
    purchase=PURCHASE,
    line_id=Code("1/x%"),
)
GRANTED = Lot(
    lot_id=lot_of_adjustment(OTHER),
    issued=5,
    remaining=5,
    effective_at=AT,
    expires_at=None,
    definition=None,
    issue=Ref(HOME, 8),
    priority=-3,
)
EARNING = Earning(
    issue=Ref(HOME, 7),
    definition=Code("loyalty@3"),
    shortfall=Shortfall.DEDUCT_FROM_REFUND,
    rate=PointValue(points=2, worth=Money(3, "EUR")),
    lines=(
        EarnedLine(line_id=Code("1,|"), quantity=3, points=20, returned=1, revoked=6, excused=2),
        EarnedLine(line_id=Code("2"), quantity=1, points=1),
    ),
)
BARE = attrs.evolve(EARNING, definition=None, rate=None, shortfall=Shortfall.DEBT, lines=())


@pytest.mark.parametrize("lot", [EARNED, GRANTED], ids=["earned", "granted"])
def test_lot_comes_back_as_it_was(lot):
    """
    LOY-10: a packed lot is the same lot, found by its id, whatever its ids hold.
    """
    text = kept_lots.with_lot(kept_lots.with_lot(NOTHING, EARNED, HOME), GRANTED, HOME)

    assert lot == kept_lots.found(text, lot.lot_id, HOME)
    assert None is kept_lots.found(kept_lots.without(text, lot.lot_id), lot.lot_id, HOME)


@pytest.mark.parametrize("number", ["50%2Coff", "50%25off", "a%7C%3B", "%", "a/%2F"])
def test_purchase_of_a_lot_is_the_one_that_earned_it(number):
    """
    LOY-10: a receipt number is told as the till wrote it, also where it looks like an escape.
    """
    purchase = BusinessKey(Code("till"), BusinessId(number))
    lot_id = lot_of_line(purchase, Code("1"))
    lot = attrs.evolve(EARNED, lot_id=lot_id, purchase=purchase, line_id=Code("1"))
    elsewhere = attrs.evolve(lot, lot_id=lot_of_line(OTHER, Code("1")))

    text = kept_lots.with_lot(kept_lots.with_lot(NOTHING, lot, HOME), elsewhere, HOME)

    assert lot == kept_lots.found(text, lot.lot_id, HOME)
    assert elsewhere == kept_lots.found(text, elsewhere.lot_id, HOME)


def test_lots_stand_in_spending_order():
    """
    LOY-10: what is spent first stands first, in whatever order lots came.
    """
    late = attrs.evolve(EARNED, lot_id=lot_of_line(OTHER, Code("1")), purchase=OTHER)
    never = attrs.evolve(GRANTED, lot_id=lot_of_line(OTHER, Code("2")), priority=0)
    expected = (GRANTED, attrs.evolve(late, expires_at=AT), EARNED, never)
    text = NOTHING
    for lot in (never, EARNED, *expected[:2]):
        text = kept_lots.with_lot(text, lot, HOME)

    assert expected == tuple(kept_lots.lots_in(text, HOME))


def test_lot_that_points_were_taken_from_stays_in_its_place():
    """
    LOY-10: a lot changes where it stands; one that is not there is not put in.
    """
    less = attrs.evolve(GRANTED, remaining=1)
    text = kept_lots.with_lot(kept_lots.with_lot(NOTHING, EARNED, HOME), GRANTED, HOME)

    changed = kept_lots.with_changed(text, less, HOME)

    assert (less, EARNED) == tuple(kept_lots.lots_in(changed, HOME))
    assert NOTHING == kept_lots.with_changed(NOTHING, less, HOME)


def test_empty_lot_stands_at_the_end():
    """
    LOY-10: nobody spends empty lots, so they need no order.
    """
    text = kept_lots.with_empty_lot(NOTHING, EARNED, HOME)

    assert (EARNED, GRANTED) == tuple(
        kept_lots.lots_in(kept_lots.with_empty_lot(text, GRANTED, HOME), HOME)
    )


def test_earning_comes_back_as_it_was():
    """
    LOY-10: what a purchase earned is found by the purchase, until it is taken out.
    """
    text = kept_earnings.with_earning(NOTHING, PURCHASE, EARNING, HOME)
    text = kept_earnings.with_earning(text, OTHER, BARE, HOME)

    assert {PURCHASE: EARNING, OTHER: BARE} == dict(kept_earnings.earnings_in(text, HOME))
    assert EARNING == kept_earnings.found(text, PURCHASE, HOME)
    assert None is kept_earnings.found(kept_earnings.without(text, OTHER), OTHER, HOME)
