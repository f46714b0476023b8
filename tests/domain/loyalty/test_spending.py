"""
Points as tender.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from clientela.domain.fingerprint import MismatchError
from clientela.domain.ids import Code
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.lots import POINTS_MAX, Allocation, LotId
from clientela.domain.loyalty.refusals import (
    AmountNotPositiveError,
    InsufficientPointsError,
    ProgrammeInactiveError,
)
from clientela.domain.loyalty.spending import (
    AttributedLine,
    PointsCaptured,
    SpendPoints,
    TenderAttributed,
)
from clientela.domain.money import Money
from tests.domain.loyalty.shop import WALLET, Shop, bought, key, line, programme, returned
from tests.domain.spec import AT


def spend(points: int, number: object = "s1", **changes: object) -> SpendPoints:
    """Petra pays with points."""
    return SpendPoints(wallet_id=WALLET, spend=key(number), points=points, **changes)  # type: ignore[arg-type]


@pytest.fixture
def shop() -> Shop:
    """Petra has 25 points of yesterday and 10 of today."""
    shop = Shop()
    shop.at(AT - timedelta(days=1))
    shop.write(bought(1, line("a", 2500)))
    shop.at(AT)
    shop.write(bought(2, line("a", 1000)))
    return shop


def test_points_are_spent_from_what_expires_first(shop):
    """
    LOY-10: every spend says from which lots it was taken, what expires first going first.
    """
    assert (
        PointsCaptured(
            spend=key("s1"),
            points=30,
            allocations=(
                Allocation(lot_id=LotId("till:1/a"), points=25),
                Allocation(lot_id=LotId("till:2/a"), points=5),
            ),
            worth=Money(300, "EUR"),
        ),
    ) == shop.when(spend(30))
    assert 5 == shop.wallet.lots[LotId("till:2/a")].remaining
    issues = {e.ref for e in shop.events if type(e.event).__name__ == "PointsIssued"}
    assert issues == set(shop.events[-1].because)


def test_nobody_spends_more_than_there_is(shop):
    """
    LOY-10: the balance never goes below 0; the refusal says what there is and why (I6).
    """
    with pytest.raises(InsufficientPointsError) as refused:
        shop.when(spend(36))

    assert {
        "rule": "LOY-10",
        "available": "35",
        "held": "0",
        "debt": "0",
    } == refused.value.details()
    assert 2 == len(refused.value.because)
    shop.when(spend(35))
    with pytest.raises(InsufficientPointsError):
        shop.when(spend(1, "s2"))


def test_owing_client_is_told_so(shop):
    """
    LOY-10: with points owed nothing can be spent, and the refusal says how much is owed.
    """
    shop.when(spend(35))
    shop.write(returned("r1", (1, "a", 1)))

    with pytest.raises(InsufficientPointsError) as refused:
        shop.when(spend(1, "s2"))

    assert (0, 25) == (refused.value.available, refused.value.debt)
    assert shop.wallet.debts == refused.value.because


def test_same_payment_is_taken_once(shop):
    """
    LOY-10: a payment sent again takes nothing again, and with other points it is an error (I12).
    """
    shop.when(spend(30))

    assert () == shop.when(spend(30))
    with pytest.raises(MismatchError) as refused:
        shop.when(spend(31))
    assert ("points",) == refused.value.fields
    assert 30 == shop.wallet.captured


@pytest.mark.parametrize("points", [0, -1, POINTS_MAX + 1])
def test_points_are_counted_in_whole_positive_numbers(shop, points):
    """
    LOY-10: who pays nothing, or less, or beyond all bounds, is told so.
    """
    with pytest.raises(AmountNotPositiveError, match="points: expected 1 to"):
        shop.when(spend(points))


def test_points_without_a_worth_cannot_be_spent():
    """
    LOY-10: the exchange rate is the programme's; without one points are no tender.
    """
    shop = Shop(programme(spending=None))
    shop.write(bought(1, line("a", 2500)))

    with pytest.raises(ProgrammeInactiveError) as refused:
        shop.when(spend(1))

    assert {"rule": "LOY-10", "setting": "spending"} == refused.value.details()


def test_every_line_bears_its_share_of_the_points_tendered():
    """
    LOY-10: 400 points worth 40 euros over lines of 25 and 75 euros are 100 and 300 (loyalty F6).
    """
    shop = Shop()

    events = shop.write(
        bought(1, line("b", 7500), line("a", 2500, 2), points=400, points_minor=4000)
    )

    assert (
        TenderAttributed(
            purchase=key(1),
            lines=(
                AttributedLine(line_id=Code("a"), quantity=2, points=100, worth=Money(1000, "EUR")),
                AttributedLine(line_id=Code("b"), quantity=1, points=300, worth=Money(3000, "EUR")),
            ),
        )
        == events[1]
    )


def test_card_that_is_not_the_wallets_cannot_pay(shop):
    """
    LOY-5: a payment that shows a card shows one of this wallet.
    """
    with pytest.raises(Exception, match="no card gold"):
        shop.when(spend(1, card_id=CardId("gold")))
