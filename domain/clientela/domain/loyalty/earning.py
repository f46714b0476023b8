"""
What a purchase earns, line by line, on the part that was paid in money (LOY-10).

A purchase is never refused for its points: where none are due, or none can be, the wallet notes
why and nothing else happens.
"""

from __future__ import annotations

import enum

from collections.abc import Iterator
from datetime import datetime, timedelta

import attrs

from clientela.domain.context import Context, DefinitionVersion
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import BusinessKey, PurchaseRecorded, TenderKind
from clientela.domain.ids import Code, Ref
from clientela.domain.loyalty.apportionment import largest_remainder
from clientela.domain.loyalty.lots import Lot, lot_of_line
from clientela.domain.loyalty.programme import (
    WHOLE_PERCENT,
    Award,
    PointValue,
    Programme,
    Rounding,
    Shortfall,
)
from clientela.domain.loyalty.traces import EarnedLine, Earning
from clientela.domain.loyalty.wallet import Wallet, add, keep_earning


@attrs.frozen(kw_only=True)
class IssuedLine:
    """
    Points that one purchase line earned; they form one lot.

    Attributes:
        line_id: Which line.

        quantity: Pieces bought.

        points: Points earned, 1 or more.
    """

    line_id: Code
    quantity: int
    points: int


@event("points-issued", origin=Origin.DERIVED)
class PointsIssued:
    """
    A purchase earned points (LOY-10).

    Attributes:
        purchase: The purchase.

        lines: What each line earned, in order of line ids; lines that earned nothing are left out.

        effective_at: Since when the points count.

        expires_at: First instant at which they are gone; None means never.

        shortfall: What happens when they are to be taken back and are gone.

        rate: What points are worth, where a shortfall is deducted from the refund.
    """

    purchase: BusinessKey
    lines: tuple[IssuedLine, ...]
    effective_at: datetime
    expires_at: datetime | None
    shortfall: Shortfall
    rate: PointValue | None = None

    @property
    def points(self) -> int:
        """Points of all lines."""
        return sum(line.points for line in self.lines)


class NoPoints(enum.Enum):
    """Why a purchase earned nothing."""

    NOTHING_DUE = "nothing-due"
    """The programme awards nothing for it."""

    CURRENCY = "currency"
    """It was paid in another currency than the programme's."""

    RETRO_WINDOW = "retro-window"
    """It became known later than the programme allows."""


@event("earning-declined", origin=Origin.DERIVED)
class EarningDeclined:
    """
    A purchase into this wallet earned nothing; the purchase itself stands (LOY-10).

    Attributes:
        purchase: The purchase.

        reason: Why.
    """

    purchase: BusinessKey
    reason: NoPoints


def earn(
    recorded: RecordedEvent, version: DefinitionVersion, context: Context
) -> Iterator[PendingEvent]:
    """Points for a recorded purchase, or why there are none; by the rules of when it was made."""
    purchase: PurchaseRecorded = recorded.event
    programme = version.of(Programme)
    because, label = (recorded.ref,), version.label("loyalty")
    declined = _declined(purchase, recorded.occurred_at, programme, context)
    points = {} if declined else points_by_line(programme, purchase)
    if not any(points.values()):
        none = EarningDeclined(purchase=purchase.purchase, reason=declined or NoPoints.NOTHING_DUE)
        yield PendingEvent(none, rule="LOY-10", because=because, definition=label)
        return
    effective_at = min(recorded.occurred_at, context.now)
    deducts = programme.shortfall is Shortfall.DEDUCT_FROM_REFUND
    issued = PointsIssued(
        purchase=purchase.purchase,
        lines=tuple(
            IssuedLine(line_id=line.line_id, quantity=line.quantity, points=points[line.line_id])
            for line in sorted(purchase.lines, key=lambda line: line.line_id)
            if points[line.line_id]
        ),
        effective_at=effective_at,
        expires_at=programme.expires_at(effective_at),
        shortfall=programme.shortfall or Shortfall.DEBT,
        rate=programme.point_value if deducts else None,
    )
    yield PendingEvent(issued, rule="LOY-10", because=because, definition=label)


def _declined(
    purchase: PurchaseRecorded, bought_at: datetime, programme: Programme, context: Context
) -> NoPoints | None:
    window = programme.retro_days
    if window is not None and context.now - bought_at > timedelta(days=window):
        return NoPoints.RETRO_WINDOW
    if programme.awards and purchase.total.currency != programme.currency:
        return NoPoints.CURRENCY
    return None


def points_by_line(programme: Programme, purchase: PurchaseRecorded) -> dict[Code, int]:
    """Points that each line of *purchase* earns, all awards together."""
    base = paid_in_money(purchase)
    points = dict.fromkeys(base, 0)
    for award in programme.awards:
        for line_id, awarded in _award(award, purchase, base).items():
            points[line_id] += awarded
    return points


def _award(award: Award, purchase: PurchaseRecorded, base: dict[Code, int]) -> dict[Code, int]:
    weights = {
        line.line_id: base[line.line_id] * award.percent(line) * award.points
        for line in purchase.lines
    }
    unit = award.per_minor * WHOLE_PERCENT
    if award.rounding is Rounding.LINE:
        return {line_id: weight // unit for line_id, weight in weights.items()}
    return largest_remainder(sum(weights.values()) // unit, weights)


def paid_in_money(purchase: PurchaseRecorded) -> dict[Code, int]:
    """
    Minor units of each line that were paid in money.

    What was paid with points or stored value is taken off all lines in proportion to their price.
    """
    prices = {line.line_id: line.net.minor for line in purchase.lines}
    other = sum(t.amount.minor for t in purchase.tenders if t.kind is not TenderKind.MONEY)
    parts = largest_remainder(min(other, sum(prices.values())), prices)
    return {line_id: price - parts[line_id] for line_id, price in prices.items()}


def fold_issued(draft: Wallet, issued: PointsIssued, recorded: RecordedEvent) -> None:
    """One lot for each line, and what a return of it will take back."""
    definition = None if recorded.definition is None else Code(recorded.definition)
    for line in issued.lines:
        add(
            draft,
            Lot(
                lot_id=lot_of_line(issued.purchase, line.line_id),
                issued=line.points,
                remaining=line.points,
                effective_at=issued.effective_at,
                expires_at=issued.expires_at,
                definition=definition,
                issue=recorded.ref,
                purchase=issued.purchase,
                line_id=line.line_id,
            ),
        )
    what = Earning(
        issue=recorded.ref,
        definition=definition,
        shortfall=issued.shortfall,
        rate=issued.rate,
        lines=tuple(
            EarnedLine(line_id=line.line_id, quantity=line.quantity, points=line.points)
            for line in issued.lines
        ),
    )
    keep_earning(draft, issued.purchase, what)
    draft.latest_purchase = issued.purchase
    draft.issued += issued.points


def fold_declined(draft: Wallet, declined: EarningDeclined, _ref: Ref) -> None:
    """The purchase was heard of."""
    draft.latest_purchase = declined.purchase
