"""
A return gives the points that paid for it back, to the lots they came from (LOY-10, DEV-5).

A refund is split as the payment was, and points never become money. Lots keep their expiry: what
has passed it comes back and expires at once (loyalty invariant 16).
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Code, Ref
from clientela.domain.loyalty.apportionment import largest_remainder
from clientela.domain.loyalty.lots import Allocation, LotId, total
from clientela.domain.loyalty.traces import PaidLine, Redemption
from clientela.domain.loyalty.wallet import Wallet, put_back
from clientela.domain.money import Money


@attrs.frozen(kw_only=True)
class RestoredLine:
    """
    What pieces of one line got back.

    Attributes:
        line_id: Which line.

        quantity: Pieces that came back this time.

        points: Points given back for them; 0 where their share rounds down to nothing, which is
            made good with the next pieces.
    """

    line_id: Code
    quantity: int
    points: int


@event("points-restored", origin=Origin.DERIVED)
class PointsRestored:
    """
    Points that had paid for returned pieces came back (LOY-10).

    Attributes:
        purchase: The purchase they had paid for.

        return_key: The return.

        lines: What each line got back.

        allocations: To which lots; they sum to the lines.
    """

    purchase: BusinessKey
    return_key: BusinessKey
    lines: tuple[RestoredLine, ...]
    allocations: tuple[Allocation, ...]

    @property
    def points(self) -> int:
        """Points of all lines."""
        return sum(line.points for line in self.lines)


def restore(
    wallet: Wallet,
    purchase: BusinessKey,
    pieces: Mapping[Code, int],
    return_key: BusinessKey,
    cause: Ref,
) -> PendingEvent | None:
    """
    Give back what paid for *pieces*, by line, of *purchase*; never more than was spent on it.

    Returns:
        None where no line of them was paid in points.
    """
    redemption = wallet.redemptions.get(purchase)
    if redemption is None or redemption.tender is None:
        return None
    left = total(redemption.captured)
    lines: list[RestoredLine] = []
    for line in redemption.lines:
        quantity = min(pieces.get(line.line_id, 0), line.quantity - line.returned)
        if quantity and line.points:
            points = min(left, _due(line, quantity))
            left -= points
            lines.append(RestoredLine(line_id=line.line_id, quantity=quantity, points=points))
    if not lines:
        return None
    restored = PointsRestored(
        purchase=purchase,
        return_key=return_key,
        lines=tuple(lines),
        allocations=_to_lots(redemption, sum(line.points for line in lines)),
    )
    because = tuple(dict.fromkeys((cause, redemption.tender, *redemption.refs)))
    return PendingEvent(restored, rule="LOY-10", because=because)


def _due(line: PaidLine, quantity: int) -> int:
    """What is owed for all pieces returned so far, less what was given back already."""
    return line.points * (line.returned + quantity) // line.quantity - line.restored


def _to_lots(redemption: Redemption, points: int) -> tuple[Allocation, ...]:
    """*points* split over the lots they came from, in proportion to what each still lacks."""
    if not points:
        return ()
    lacking: dict[LotId, int] = {}
    for allocation in redemption.captured:
        lacking[allocation.lot_id] = lacking.get(allocation.lot_id, 0) + allocation.points
    parts = largest_remainder(points, lacking)
    return tuple(
        Allocation(lot_id=lot_id, points=part) for lot_id, part in sorted(parts.items()) if part
    )


def tender_of(
    wallet: Wallet, purchase: BusinessKey, line_id: Code, quantity: int, price: Money
) -> tuple[Money, int]:
    """
    How a refund is to be paid: what in money, what in points (loyalty F6).

    Args:
        wallet: The wallet that paid.

        purchase: The purchase.

        line_id: The line of it.

        quantity: Pieces that come back now.

        price: What the line cost them, points included.

    Returns:
        Money to pay out, 0 or more, and points that a return of the pieces gives back.
    """
    redemption = wallet.redemptions.get(purchase, Redemption())
    line = next((line for line in redemption.lines if line.line_id == line_id), None)
    if line is None:
        return price, 0
    quantity = min(quantity, line.quantity - line.returned)
    before, after = line.returned, line.returned + quantity
    in_points = (
        line.worth.minor * after // line.quantity - line.worth.minor * before // line.quantity
    )
    money = Money(max(price.minor - in_points, 0), price.currency)
    return money, min(total(redemption.captured), _due(line, quantity))


def fold_restored(draft: Wallet, restored: PointsRestored, _ref: Ref) -> None:
    """The points are back in their lots."""
    put_back(draft, restored.allocations)
    draft.restored += restored.points
    redemption = draft.redemptions.get(restored.purchase)
    if redemption is None:
        return
    back = {line.line_id: line for line in restored.lines}
    lines = tuple(
        attrs.evolve(
            line,
            returned=line.returned + back[line.line_id].quantity,
            restored=line.restored + back[line.line_id].points,
        )
        if line.line_id in back
        else line
        for line in redemption.lines
    )
    draft.redemptions[restored.purchase] = attrs.evolve(
        redemption, lines=lines, captured=_less(redemption.captured, restored.allocations)
    )


def _less(
    captured: tuple[Allocation, ...], restored: tuple[Allocation, ...]
) -> tuple[Allocation, ...]:
    """What is still lacking, lot by lot."""
    lacking: dict[LotId, int] = {}
    for allocation in captured:
        lacking[allocation.lot_id] = lacking.get(allocation.lot_id, 0) + allocation.points
    for allocation in restored:
        lacking[allocation.lot_id] = lacking.get(allocation.lot_id, 0) - allocation.points
    return tuple(
        Allocation(lot_id=lot_id, points=points) for lot_id, points in lacking.items() if points > 0
    )
