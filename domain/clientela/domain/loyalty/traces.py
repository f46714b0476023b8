"""
What a wallet keeps of each purchase, so that a return can be reckoned without it.
"""

from __future__ import annotations

import attrs

from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Code, Ref
from clientela.domain.loyalty.lots import Allocation
from clientela.domain.loyalty.programme import PointValue, Shortfall
from clientela.domain.money import Money


@attrs.frozen(kw_only=True)
class EarnedLine:
    """
    What a purchase line earned and how much of it was taken back.

    Attributes:
        line_id: Which line.

        quantity: Pieces bought.

        points: Points earned, 1 or more.

        returned: Pieces that came back, 0 to *quantity*.

        revoked: Points taken back for them, 0 to *points*, excused ones included.

        excused: Points of those that had expired and were therefore not charged.
    """

    line_id: Code
    quantity: int
    points: int
    returned: int = 0
    revoked: int = 0
    excused: int = 0


@attrs.frozen(kw_only=True)
class Earning:
    """
    What a purchase earned; pinned, so that no later change of rules touches its return.

    Attributes:
        issue: The event.

        definition: Programme and version that was applied, for instance `loyalty@3`.

        shortfall: What happens when its points are to be taken back and are gone.

        rate: What points are worth, where a shortfall is deducted from the refund.

        lines: Lines that earned anything.
    """

    issue: Ref
    definition: Code | None
    shortfall: Shortfall
    rate: PointValue | None
    lines: tuple[EarnedLine, ...]


@attrs.frozen(kw_only=True)
class PaidLine:
    """
    How much of a purchase line was paid in points and how much of that was given back.

    Attributes:
        line_id: Which line.

        quantity: Pieces bought.

        points: Points it was paid with, 0 or more.

        worth: What points counted for as tender.

        returned: Pieces that came back, 0 to *quantity*.

        restored: Points given back for them, 0 to *points*.
    """

    line_id: Code
    quantity: int
    points: int
    worth: Money
    returned: int = 0
    restored: int = 0


@attrs.frozen(kw_only=True)
class Redemption:
    """
    Points spent on one purchase.

    Attributes:
        captured: Points taken from each lot and not given back yet.

        refs: The events that took them.

        lines: What each line was paid in points, once the purchase is known.

        tender: The event that told it.
    """

    captured: tuple[Allocation, ...] = ()
    refs: tuple[Ref, ...] = ()
    lines: tuple[PaidLine, ...] = ()
    tender: Ref | None = None


@attrs.frozen(kw_only=True)
class Pieces:
    """
    Pieces of a purchase line that came back.

    Attributes:
        line_id: Which line.

        quantity: How many, 1 or more.
    """

    line_id: Code
    quantity: int


@attrs.frozen(kw_only=True)
class ParkedReturn:
    """
    A return that waits until the ledger has heard of its purchase.

    Attributes:
        return_key: Which return.

        pieces: What came back.

        ref: The event that parked it.
    """

    return_key: BusinessKey
    pieces: tuple[Pieces, ...]
    ref: Ref
