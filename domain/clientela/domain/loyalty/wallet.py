"""
The state of a wallet: cards, lots, debt, and what later returns will ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain import packed
from clientela.domain.draft import State, state
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import ClientId, JournalId, JournalKind, Ref
from clientela.domain.loyalty import kept_earnings, kept_lots
from clientela.domain.loyalty.card import Card, CardId
from clientela.domain.loyalty.lots import Allocation, Lot, LotId, spend_order
from clientela.domain.loyalty.traces import Earning, ParkedReturn, Redemption
from clientela.domain.packed import NOTHING, Packed


@state(JournalKind.WALLET)
class Wallet(State):
    """
    A holder of points and terms.

    Attributes:
        opened: The event that opened it; None while there is no wallet.

        client_id: Whose it is; None for a wallet without a client behind it.

        cards: Its cards.

        home: The wallet's journal; None before the first points.

        kept_lots: Lots with points in them, packed, in spending order.

        kept_empty_lots: Lots without, packed; a return may still ask for them.

        kept_expiring: Free points by the moment at which they expire, packed, the earliest first;
            none for moments without any.

        kept_earnings: What each purchase earned, packed.

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
    home: JournalId | None = None
    kept_lots: Packed = NOTHING
    kept_empty_lots: Packed = NOTHING
    kept_expiring: Packed = NOTHING
    kept_earnings: Packed = NOTHING
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

    @property
    def lots(self) -> dict[LotId, Lot]:
        """Lots with points in them, in spending order."""
        return _by_id(self.kept_lots, self.home)

    @property
    def empty_lots(self) -> dict[LotId, Lot]:
        """Lots without points; a return may still ask for them."""
        return _by_id(self.kept_empty_lots, self.home)

    @property
    def expiring(self) -> dict[datetime, int]:
        """Free points by the moment at which they expire, the earliest first."""
        pairs = (line.split(packed.FIELD) for line in packed.lines(self.kept_expiring))
        return {packed.moment_of(at): int(points) for at, points in pairs}

    @property
    def expires_next(self) -> datetime | None:
        """The next moment at which free points expire."""
        text = self.kept_expiring
        return packed.moment_of(text[: text.index(packed.FIELD)]) if text else None

    @property
    def earnings(self) -> dict[BusinessKey, Earning]:
        """What each purchase earned."""
        home = self.home
        return {} if home is None else dict(kept_earnings.earnings_in(self.kept_earnings, home))

    def lot(self, lot_id: LotId) -> Lot | None:
        """The lot of this id, empty or not."""
        home = self.home
        if home is None:
            return None
        return kept_lots.found(self.kept_lots, lot_id, home) or kept_lots.found(
            self.kept_empty_lots, lot_id, home
        )

    def earning(self, purchase: BusinessKey) -> Earning | None:
        """What *purchase* earned; None if it earned nothing."""
        home = self.home
        return None if home is None else kept_earnings.found(self.kept_earnings, purchase, home)

    def spendable(self) -> Iterator[Lot]:
        """Lots with points in them, in spending order, unpacked as they are asked for."""
        return iter(()) if self.home is None else kept_lots.lots_in(self.kept_lots, self.home)

    def has_heard_of(self, purchase: BusinessKey) -> bool:
        """Whether the ledger has considered *purchase*, as far as it still needs to know."""
        redemption = self.redemptions.get(purchase)
        return (
            purchase == self.latest_purchase
            or self.earning(purchase) is not None
            or (redemption is not None and redemption.tender is not None)
        )

    def issues(self, allocations: Iterable[Allocation]) -> tuple[Ref, ...]:
        """The events that issued what *allocations* take, each once, oldest first."""
        lots = (self.lot(allocation.lot_id) for allocation in allocations)
        return tuple(sorted({lot.issue for lot in lots if lot is not None}))


def add(draft: Wallet, lot: Lot) -> None:
    """Keep a lot that is new to the wallet, with points in it."""
    home = draft.home = draft.home or lot.issue.journal
    draft.kept_lots = kept_lots.with_lot(draft.kept_lots, lot, home)
    _expect(draft, lot.expires_at, lot.free)


def put(draft: Wallet, lot: Lot) -> None:
    """Keep *lot* where lots like it are kept, in the place of what it was."""
    was = draft.lot(lot.lot_id)
    home = draft.home = draft.home or lot.issue.journal
    if was is not None:
        _expect(draft, was.expires_at, -was.free)
        if was.remaining and lot.remaining and spend_order(was) == spend_order(lot):
            draft.kept_lots = kept_lots.with_changed(draft.kept_lots, lot, home)
            _expect(draft, lot.expires_at, lot.free)
            return
        if was.remaining:
            draft.kept_lots = kept_lots.without(draft.kept_lots, lot.lot_id)
        else:
            draft.kept_empty_lots = kept_lots.without(draft.kept_empty_lots, lot.lot_id)
    if lot.remaining:
        add(draft, lot)
    else:
        draft.kept_empty_lots = kept_lots.with_empty_lot(draft.kept_empty_lots, lot, home)


def keep_earning(draft: Wallet, purchase: BusinessKey, earning: Earning) -> None:
    """Keep what a purchase earned that earned nothing before."""
    home = draft.home = draft.home or earning.issue.journal
    draft.kept_earnings = kept_earnings.with_earning(draft.kept_earnings, purchase, earning, home)


def change_earning(draft: Wallet, purchase: BusinessKey, earning: Earning) -> None:
    """Keep what *purchase* earned, in the place of what it was."""
    draft.kept_earnings = kept_earnings.without(draft.kept_earnings, purchase)
    keep_earning(draft, purchase, earning)


def _by_id(text: Packed, home: JournalId | None) -> dict[LotId, Lot]:
    return {} if home is None else {lot.lot_id: lot for lot in kept_lots.lots_in(text, home)}


def _expect(draft: Wallet, moment: datetime | None, points: int) -> None:
    if moment is None or not points:
        return
    text, at = draft.kept_expiring, packed.instant(moment)
    known = packed.line(text, at)
    left = points + (int(known.partition(packed.FIELD)[2]) if known else 0)
    line = f"{at}{packed.FIELD}{left}"
    if known is None:
        draft.kept_expiring = packed.sorted_in(text, line, _moment)
    elif left:
        draft.kept_expiring = packed.replaced(text, at, line)
    else:
        draft.kept_expiring = packed.without(text, at)


def _moment(line: str) -> int:
    return int(line[: line.index(packed.FIELD)])


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
