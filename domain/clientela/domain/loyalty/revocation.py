"""
A return takes back what its lines earned, by the rules of the purchase (LOY-10, DEV-5).

What is taken back is reckoned on all pieces of a line returned so far, so that any split of a
return, in any order, ends the same (loyalty invariant 14).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import attrs

from clientela.domain.draft import thaw
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Code, Ref
from clientela.domain.loyalty.debt import DebtCreated
from clientela.domain.loyalty.lots import Allocation, allocate, lot_of_line, total
from clientela.domain.loyalty.programme import Shortfall
from clientela.domain.loyalty.traces import EarnedLine
from clientela.domain.loyalty.wallet import Wallet, change_earning, take
from clientela.domain.money import Money


@attrs.frozen(kw_only=True)
class RevokedLine:
    """
    What pieces of one line lost; *points* = what *allocations* took + *excused* + *shortfall*.

    Attributes:
        line_id: Which line.

        quantity: Pieces that came back this time.

        points: Points assessed for them; 0 where their share rounds down to nothing, which is
            made good with the next pieces.

        allocations: From which lots, the line's own first.

        excused: Points of the line's own lot that had expired and are not charged again.

        shortfall: Points that were no longer there.
    """

    line_id: Code
    quantity: int
    points: int
    allocations: tuple[Allocation, ...] = ()
    excused: int = 0
    shortfall: int = 0


@event("points-revoked", origin=Origin.DERIVED)
class PointsRevoked:
    """
    A return took earned points back (LOY-10).

    Attributes:
        purchase: The purchase that had earned them.

        return_key: The return.

        lines: What each line lost.

        policy: What happened to the shortfall, by the programme of the purchase; owed where it
            would have been deducted from a refund that was paid out already.

        deducted: Worth of the shortfall, where it is to be deducted from the refund.
    """

    purchase: BusinessKey
    return_key: BusinessKey
    lines: tuple[RevokedLine, ...]
    policy: Shortfall
    deducted: Money | None = None

    @property
    def charged(self) -> int:
        """Points taken from lots."""
        return sum(total(line.allocations) for line in self.lines)

    @property
    def shortfall(self) -> int:
        """Points that were no longer there."""
        return sum(line.shortfall for line in self.lines)


def revoke(
    wallet: Wallet,
    purchase: BusinessKey,
    pieces: Mapping[Code, int],
    return_key: BusinessKey,
    cause: Ref,
    now: datetime,
    *,
    is_paid_out: bool = False,
) -> Iterator[PendingEvent]:
    """
    Take back what *pieces*, by line, of *purchase* had earned; the rest may become debt.

    It does so too where it would be deducted from the refund and that *is_paid_out*.
    """
    earning = wallet.earning(purchase)
    lines = _lines(wallet, purchase, earning.lines, pieces, now) if earning else ()
    if earning is None or not lines:
        return
    missing = sum(line.shortfall for line in lines)
    policy, rate = earning.shortfall, earning.rate
    if is_paid_out and policy is Shortfall.DEDUCT_FROM_REFUND:
        policy, rate = Shortfall.DEBT, None
    revoked = PointsRevoked(
        purchase=purchase,
        return_key=return_key,
        lines=lines,
        policy=policy,
        deducted=rate.of(missing) if rate and missing else None,
    )
    issues = wallet.issues(a for line in lines for a in line.allocations)
    because = tuple(dict.fromkeys((cause, earning.issue, *issues)))
    label = earning.definition
    yield PendingEvent(revoked, rule="LOY-10", because=because, definition=label)
    if policy is Shortfall.DEBT and missing:
        owed = DebtCreated(points=missing, purchase=purchase, return_key=return_key)
        yield PendingEvent(owed, rule="LOY-10", because=(cause, earning.issue), definition=label)


def _lines(
    wallet: Wallet,
    purchase: BusinessKey,
    earned: tuple[EarnedLine, ...],
    pieces: Mapping[Code, int],
    now: datetime,
) -> tuple[RevokedLine, ...]:
    scratch = thaw(wallet)
    lines: list[RevokedLine] = []
    for line in earned:
        quantity = min(pieces.get(line.line_id, 0), line.quantity - line.returned)
        if quantity:
            revoked = _line(scratch, purchase, line, quantity, now)
            take(scratch, revoked.allocations)
            lines.append(revoked)
    return tuple(lines)


def _line(
    wallet: Wallet, purchase: BusinessKey, line: EarnedLine, quantity: int, now: datetime
) -> RevokedLine:
    points = assessed(line, quantity)
    own = wallet.lot(lot_of_line(purchase, line.line_id))
    first = allocate([own] if own else [], points, now)
    left = points - total(first)
    excused = min(left, own.expired - line.excused) if own else 0
    others = (lot for lot in wallet.spendable() if own is None or lot.lot_id != own.lot_id)
    rest = allocate(others, left - excused, now)
    return RevokedLine(
        line_id=line.line_id,
        quantity=quantity,
        points=points,
        allocations=(*first, *rest),
        excused=excused,
        shortfall=left - excused - total(rest),
    )


def assessed(line: EarnedLine, quantity: int) -> int:
    """Points to take back for *quantity* more pieces: due for all returned, less those taken."""
    return line.points * (line.returned + quantity) // line.quantity - line.revoked


def fold_revoked(draft: Wallet, revoked: PointsRevoked, _ref: Ref) -> None:
    """The points are gone, and the lines remember for how many pieces."""
    for line in revoked.lines:
        take(draft, line.allocations)
    draft.revoked += revoked.charged
    if revoked.policy is Shortfall.CLAMP:
        draft.forgiven += revoked.shortfall
    elif revoked.policy is Shortfall.DEDUCT_FROM_REFUND:
        draft.deducted += revoked.shortfall
    earning = draft.earning(revoked.purchase)
    if earning is not None:
        back = {line.line_id: line for line in revoked.lines}
        lines = tuple(
            _with(line, back[line.line_id]) if line.line_id in back else line
            for line in earning.lines
        )
        change_earning(draft, revoked.purchase, attrs.evolve(earning, lines=lines))


def _with(line: EarnedLine, back: RevokedLine) -> EarnedLine:
    return attrs.evolve(
        line,
        returned=line.returned + back.quantity,
        revoked=line.revoked + back.points,
        excused=line.excused + back.excused,
    )
