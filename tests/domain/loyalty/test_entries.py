"""
The ledger as double entries.
"""

from __future__ import annotations

import pytest

from clientela.domain.ids import Code
from clientela.domain.loyalty.earning import EarningDeclined, NoPoints
from clientela.domain.loyalty.entries import Account, Entry, entries, lot_movements
from clientela.domain.loyalty.lots import Allocation, LotId
from clientela.domain.loyalty.programme import Shortfall
from clientela.domain.loyalty.revocation import PointsRevoked, RevokedLine
from tests.domain.loyalty.shop import key


LOT = LotId("till:1/a")


@pytest.mark.parametrize(
    ("policy", "waived"),
    [
        (Shortfall.DEBT, ()),
        (Shortfall.CLAMP, (Entry(Account.FORGIVEN, -4), Entry(Account.REVOCATION, 4))),
        (Shortfall.DEDUCT_FROM_REFUND, (Entry(Account.REFUND, -4), Entry(Account.REVOCATION, 4))),
    ],
)
def test_a_shortfall_is_borne_by_whom_the_programme_says(policy, waived):
    """
    LOY-10: what a return takes is taken from the wallet and, where it is missing, from whoever
    bears it; a debt is entered by the event that makes it (I2).
    """
    line = RevokedLine(
        line_id=Code("a"),
        quantity=1,
        points=7,
        allocations=(Allocation(lot_id=LOT, points=3),),
        shortfall=4,
    )
    revoked = PointsRevoked(purchase=key(1), return_key=key("r1"), lines=(line,), policy=policy)

    assert (
        Entry(Account.WALLET, -3),
        Entry(Account.REVOCATION, 3),
        *waived,
    ) == entries(revoked)
    assert [(LOT, -3)] == list(lot_movements(revoked))


def test_what_moves_no_points_has_no_entries():
    """
    LOY-10: a purchase that earned nothing moves nothing.
    """
    declined = EarningDeclined(purchase=key(1), reason=NoPoints.NOTHING_DUE)

    assert () == entries(declined)
    assert [] == list(lot_movements(declined))
