"""
The state of a wallet: cards, lots, debt, and what later returns will ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from clientela.domain.draft import State, state
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import ClientId, JournalKind, Ref
from clientela.domain.loyalty.card import Card, CardId
from clientela.domain.loyalty.lots import Allocation, Lot, LotId
from clientela.domain.loyalty.traces import Earning, ParkedReturn, Redemption


@state(JournalKind.WALLET)
class Wallet(State):
    """
    A holder of points and terms.

    Attributes:
        opened: The event that opened it; None while there is no wallet.

        client_id: Whose it is; None for a wallet without a client behind it.

        cards: Its cards.

        lots: Lots with points in them.

        empty_lots: Lots without; a return may still ask for them.

        expiring: Free points by the moment at which they expire; none for moments without any.

        earnings: What each purchase earned.

        redemptions: What was spent on each purchase.

        parked: Returns that wait for their purchase to be heard of.

        latest_purchase: The last purchase that was heard of.

        debt: Points owed, 0 or more.

        debts: The events that made the present debt.

        issued: Points earned, of all time; the following likewise.

        granted: Points given by adjustments.

        withdrawn: Points taken by adjustments.

        captured: Points spent.

        restored: Points given back.

        expired: Points that expired.

        revoked: Points that returns took from lots.

        forgiven: Points that returns could not take and that were forgiven.

        deducted: Points that returns could not take and that were deducted from refunds.

        debt_created: Points that returns could not take and that became debt.

        debt_repaid: Points taken from lots to repay debt.
    """

    opened: Ref | None = None
    client_id: ClientId | None = None
    cards: dict[CardId, Card] = attrs.field(factory=dict[CardId, Card])
    lots: dict[LotId, Lot] = attrs.field(factory=dict[LotId, Lot])
    empty_lots: dict[LotId, Lot] = attrs.field(factory=dict[LotId, Lot])
    expiring: dict[datetime, int] = attrs.field(factory=dict[datetime, int])
    earnings: dict[BusinessKey, Earning] = attrs.field(factory=dict[BusinessKey, Earning])
    redemptions: dict[BusinessKey, Redemption] = attrs.field(factory=dict[BusinessKey, Redemption])
    parked: dict[BusinessKey, tuple[ParkedReturn, ...]] = attrs.field(
        factory=dict[BusinessKey, tuple[ParkedReturn, ...]]
    )
    latest_purchase: BusinessKey | None = None
    debt: int = 0
    debts: tuple[Ref, ...] = ()
    issued: int = 0
    granted: int = 0
    withdrawn: int = 0
    captured: int = 0
    restored: int = 0
    expired: int = 0
    revoked: int = 0
    forgiven: int = 0
    deducted: int = 0
    debt_created: int = 0
    debt_repaid: int = 0

    def lot(self, lot_id: LotId) -> Lot | None:
        """The lot of this id, empty or not."""
        return self.lots.get(lot_id) or self.empty_lots.get(lot_id)

    def has_heard_of(self, purchase: BusinessKey) -> bool:
        """Whether the ledger has considered *purchase*, as far as it still needs to know."""
        redemption = self.redemptions.get(purchase)
        return (
            purchase == self.latest_purchase
            or purchase in self.earnings
            or (redemption is not None and redemption.tender is not None)
        )

    def issues(self, allocations: Iterable[Allocation]) -> tuple[Ref, ...]:
        """The events that issued what *allocations* take, each once, oldest first."""
        lots = (self.lot(allocation.lot_id) for allocation in allocations)
        return tuple(sorted({lot.issue for lot in lots if lot is not None}))


def put(draft: Wallet, lot: Lot) -> None:
    """Keep *lot* where lots like it are kept, in the place of what it was."""
    was = draft.lots.pop(lot.lot_id, None) or draft.empty_lots.pop(lot.lot_id, None)
    (draft.lots if lot.remaining else draft.empty_lots)[lot.lot_id] = lot
    if was is not None:
        _expect(draft, was.expires_at, -was.free)
    _expect(draft, lot.expires_at, lot.free)


def _expect(draft: Wallet, moment: datetime | None, points: int) -> None:
    if moment is not None and points:
        expiring = draft.expiring.pop(moment, 0) + points
        if expiring:
            draft.expiring[moment] = expiring


def take(draft: Wallet, allocations: Iterable[Allocation]) -> None:
    """Take *allocations* out of their lots."""
    for allocation in allocations:
        _move(draft, allocation.lot_id, -allocation.points)


def put_back(draft: Wallet, allocations: Iterable[Allocation]) -> None:
    """Put *allocations* back into the lots they came from."""
    for allocation in allocations:
        _move(draft, allocation.lot_id, allocation.points)


def _move(draft: Wallet, lot_id: LotId, points: int) -> None:
    lot = draft.lot(lot_id)
    if lot is not None:
        put(draft, attrs.evolve(lot, remaining=lot.remaining + points))
