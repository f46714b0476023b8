"""
Open purchases, packed: as they were, and closed in time.
"""

from __future__ import annotations

from datetime import date, timedelta

import attrs
import pytest

from clientela.domain import packed
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, ClientId, Code, Ref, WalletId, client_journal
from clientela.domain.packed import NOTHING
from clientela.domain.purchase.open_purchases import (
    OpenLine,
    OpenPurchase,
    closed_before,
    found,
    unpacked,
    with_purchase,
    without,
)
from tests.domain.spec import AT


HOME = client_journal(ClientId("petra"))
DAY = date(2030, 1, 1)


def key(number: int) -> BusinessKey:
    """A receipt, with characters that mean something in a line."""
    return BusinessKey(Code("till|7"), BusinessId(f"{number}%7C,a:b"))


def purchase(number: int, until: int | None, wallet: str = "petra") -> OpenPurchase:
    """A purchase of two lines that may come back for so many days."""
    lines = (
        OpenLine(line_id=Code("1"), sku=Code("tea,green"), bought=3, left=2, net_minor=999),
        OpenLine(
            line_id=Code("2|b"), sku=Code("cup"), bought=1, left=1, net_minor=0, refunded_minor=5
        ),
    )
    return OpenPurchase(
        purchase=key(number),
        ref=Ref(HOME, number),
        occurred_at=AT + timedelta(days=number),
        currency="EUR",
        wallet_id=WalletId(wallet),
        returnable_until=None if until is None else DAY + timedelta(days=until),
        lines=lines,
    )


def text_of(*purchases: OpenPurchase) -> packed.Packed:
    """These purchases as text."""
    text = NOTHING
    for each in purchases:
        text = with_purchase(text, each, HOME)
    return text


@pytest.mark.parametrize(
    "one",
    [
        purchase(1, 30),
        purchase(2, None),
        purchase(3, 1, "family|2"),
        attrs.evolve(purchase(4, 1), lines=()),
    ],
    ids=["own", "for-ever", "of-a-family", "without-lines"],
)
def test_purchase_comes_back_as_it_was(one):
    """
    DEV-5: a packed purchase is the same purchase, whatever its codes hold.
    """
    text = text_of(purchase(8, 2), one, purchase(9, None))

    assert one == found(text, one.purchase, HOME)
    assert {8, 9, one.ref.version} == {each.ref.version for each in unpacked(text, HOME)}


def test_what_may_come_back_longest_stands_last():
    """
    DEV-5: purchases stand in the order in which they close, those that never close last.
    """
    text = text_of(purchase(1, None), purchase(2, 30), purchase(3, 10), purchase(4, 30))

    assert [3, 2, 4, 1] == [each.ref.version for each in unpacked(text, HOME)]


def test_purchase_takes_the_place_of_what_it_was():
    """
    DEV-5: a purchase of which something came back stands once, as it is now.
    """
    less = attrs.evolve(purchase(1, 30), lines=purchase(1, 30).lines[:1])

    text = with_purchase(text_of(purchase(1, 30), purchase(11, 30)), less, HOME)

    assert {11: purchase(11, 30), 1: less} == {p.ref.version: p for p in unpacked(text, HOME)}


def test_purchase_that_came_back_whole_is_gone():
    """
    DEV-5: of several, the one named is taken out; one that is not there changes nothing.
    """
    text = text_of(purchase(1, 1), purchase(2, 2), purchase(3, 3))

    assert text_of(purchase(1, 1), purchase(3, 3)) == without(text, key(2))
    assert text_of(purchase(2, 2), purchase(3, 3)) == without(text, key(1))
    assert (text, None) == (without(text, key(4)), found(text, key(4), HOME))


def test_purchases_close_on_their_day():
    """
    DEV-5: what could come back until the day before is forgotten, and nothing else.
    """
    text = text_of(purchase(1, 0), purchase(2, 1), purchase(3, None))

    assert text == closed_before(text, DAY)
    assert text_of(purchase(2, 1), purchase(3, None)) == closed_before(text, DAY + timedelta(1))
    assert text_of(purchase(3, None)) == closed_before(text, date.max)
    assert NOTHING == closed_before(text_of(purchase(1, 0)), date.max)
