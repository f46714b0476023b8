"""
How many points there are, and which events made each of them (loyalty F1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import attrs

from clientela.domain.event import Origin, RecordedEvent
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Ref
from clientela.domain.loyalty.debt import DebtCreated, DebtRepaid
from clientela.domain.loyalty.entries import lot_movements
from clientela.domain.loyalty.lots import Lot, LotId, free_points, lot_of_line, spend_order
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.wallet import Wallet


@attrs.frozen(kw_only=True)
class Balance:
    """
    What a wallet holds.

    Attributes:
        available: Points that can be spent.

        held: Points set aside.

        debt: Points owed; above 0 only while nothing is available.
    """

    available: int
    held: int
    debt: int

    @property
    def points(self) -> int:
        """The balance: available and held, less debt."""
        return self.available + self.held - self.debt


@attrs.frozen
class Movement:
    """
    What one event added or took.

    Attributes:
        ref: The event.

        points: Added above 0, taken below 0.

        facts: What it goes back to: purchases, returns, payments; itself if somebody asked for it.
    """

    ref: Ref
    points: int
    facts: tuple[Ref, ...]


@attrs.frozen(kw_only=True)
class LotStory:
    """
    Where the points of one lot come from and where they went.

    Attributes:
        lot: The lot.

        movements: Every event that changed it; they sum to what remains in it.
    """

    lot: Lot
    movements: tuple[Movement, ...]


@attrs.frozen(kw_only=True)
class Explanation:
    """
    A balance, and every event behind each of its numbers.

    Attributes:
        balance: The balance.

        lots: Lots that can be spent or are held, in spending order, each upcoming expiry with it.

        debt: What made the present debt; it sums to it.
    """

    balance: Balance
    lots: tuple[LotStory, ...]
    debt: tuple[Movement, ...]

    @property
    def because(self) -> tuple[Ref, ...]:
        """Every fact that the balance goes back to, each once."""
        movements = (m for story in self.lots for m in story.movements)
        return tuple(sorted({fact for m in (*movements, *self.debt) for fact in m.facts}))


def balance(wallet: Wallet, now: datetime) -> Balance:
    """What *wallet* holds at *now*; what expires at that very moment no longer counts."""
    lots = tuple(wallet.spendable())
    return Balance(
        available=free_points(lots, now), held=sum(lot.held for lot in lots), debt=wallet.debt
    )


def explain(wallet: Wallet, events: Iterable[RecordedEvent], now: datetime) -> Explanation:
    """
    The balance of *wallet* at *now* with the events behind it.

    Args:
        wallet: The wallet.

        events: Its whole journal, in order of version.

        now: When.
    """
    stories: dict[LotId, list[Movement]] = {}
    debt: list[Movement] = []
    known: dict[Ref, tuple[Ref, ...]] = {}
    taken: dict[tuple[BusinessKey, BusinessKey], tuple[Ref, ...]] = {}
    for recorded in events:
        facts = _facts(recorded, known)
        match recorded.event:
            case PointsRevoked(purchase=purchase, return_key=back) as revoked:
                facts = taken[purchase, back] = _joined(facts, *_emptied(revoked, stories))
            case DebtCreated(purchase=purchase, return_key=back):
                facts = _joined(facts, taken.get((purchase, back), ()))
            case _:
                pass
        known[recorded.ref] = facts
        for lot_id, points in lot_movements(recorded.event):
            stories.setdefault(lot_id, []).append(Movement(recorded.ref, points, facts))
        match recorded.event:
            case DebtCreated(points=points):
                debt.append(Movement(recorded.ref, points, facts))
            case DebtRepaid(points=points):
                debt.append(Movement(recorded.ref, -points, facts))
                debt = debt if sum(m.points for m in debt) else []
            case _:
                pass
    shown = (lot for lot in wallet.spendable() if lot.is_live(now) or lot.held)
    return Explanation(
        balance=balance(wallet, now),
        lots=tuple(
            LotStory(lot=lot, movements=tuple(stories.get(lot.lot_id, ())))
            for lot in sorted(shown, key=spend_order)
        ),
        debt=tuple(debt),
    )


def _facts(recorded: RecordedEvent, known: Mapping[Ref, tuple[Ref, ...]]) -> tuple[Ref, ...]:
    """
    What an event goes back to, through everything that rules and time made of it.

    Facts of other journals are not followed further: nothing was derived there for this wallet.
    """
    if recorded.type.origin in {Origin.RECORDED, Origin.DECIDED}:
        return (recorded.ref,)
    return _joined(*(known.get(ref, (ref,)) for ref in recorded.because))


def _emptied(
    revoked: PointsRevoked, stories: Mapping[LotId, list[Movement]]
) -> Iterator[tuple[Ref, ...]]:
    """Where a line's own points were no longer there: what had taken them, spends for instance."""
    for line in revoked.lines:
        own = lot_of_line(revoked.purchase, line.line_id)
        if line.shortfall or any(allocation.lot_id != own for allocation in line.allocations):
            yield from (m.facts for m in stories.get(own, ()) if m.points < 0)


def _joined(*facts: tuple[Ref, ...]) -> tuple[Ref, ...]:
    return tuple(sorted({fact for several in facts for fact in several}))
