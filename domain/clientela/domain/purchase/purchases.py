"""
Purchases whose lines may still come back, and returns that wait for their purchase.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import attrs

from clientela.domain.draft import State, state
from clientela.domain.event import RecordedEvent
from clientela.domain.facts import (
    BusinessKey,
    PurchaseRecorded,
    ReturnedLine,
    ReturnMatched,
    ReturnRecorded,
    UnmatchedLine,
)
from clientela.domain.ids import JournalId, JournalKind, Ref
from clientela.domain.packed import NOTHING, Packed
from clientela.domain.purchase import open_purchases
from clientela.domain.purchase.open_purchases import OpenLine, OpenPurchase


LATE_DAYS_MAX = 366
"""Days by which a return may become known late and still find its purchase."""


@attrs.frozen(kw_only=True)
class WaitingReturn:
    """
    A return some of whose pieces wait for their purchase.

    Attributes:
        return_key: Its identity.

        ref: Its event.

        occurred_at: When the pieces came back.

        local_date: On which day.

        lines: The pieces without purchase.
    """

    return_key: BusinessKey
    ref: Ref
    occurred_at: datetime
    local_date: date
    lines: tuple[UnmatchedLine, ...]


@state(JournalKind.CLIENT)
class Purchases(State):
    """
    What is open between client and tills.

    Attributes:
        home: The client's journal; None before the first purchase.

        returnable: Purchases of which something may come back, packed.

        waiting: Returns that wait for their purchase, by identity.
    """

    home: JournalId | None = None
    returnable: Packed = NOTHING
    waiting: dict[BusinessKey, WaitingReturn] = attrs.field(
        factory=dict[BusinessKey, WaitingReturn]
    )

    @property
    def open(self) -> dict[BusinessKey, OpenPurchase]:
        """Purchases of which something may come back, by identity."""
        if self.home is None:
            return {}
        return {
            purchase.purchase: purchase
            for purchase in open_purchases.unpacked(self.returnable, self.home)
        }

    def purchase(self, key: BusinessKey) -> OpenPurchase | None:
        """The purchase of this identity, if something of it may come back."""
        return None if self.home is None else open_purchases.found(self.returnable, key, self.home)


def evolve(draft: Purchases, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    match recorded.event:
        case PurchaseRecorded() as purchase:
            _close_old(draft, purchase.local_date, recorded.occurred_at)
            draft.home = recorded.journal
            opened = _opened(purchase, recorded)
            draft.returnable = open_purchases.with_purchase(
                draft.returnable, opened, recorded.journal
            )
        case ReturnRecorded() as returned:
            _take_back(draft, returned.matched)
            if returned.unmatched:
                draft.waiting[returned.return_key] = WaitingReturn(
                    return_key=returned.return_key,
                    ref=recorded.ref,
                    occurred_at=recorded.occurred_at,
                    local_date=returned.local_date,
                    lines=returned.unmatched,
                )
        case ReturnMatched(return_key=return_key, matched=matched, unmatched=unmatched):
            _take_back(draft, matched)
            waiting = draft.waiting.pop(return_key, None)
            if waiting is not None and unmatched:
                draft.waiting[return_key] = attrs.evolve(waiting, lines=unmatched)
        case _:
            pass


def _opened(purchase: PurchaseRecorded, recorded: RecordedEvent) -> OpenPurchase:
    return OpenPurchase(
        purchase=purchase.purchase,
        ref=recorded.ref,
        occurred_at=recorded.occurred_at,
        currency=purchase.total.currency,
        wallet_id=purchase.wallet_id,
        returnable_until=purchase.returnable_until,
        lines=tuple(
            OpenLine(
                line_id=line.line_id,
                sku=line.sku,
                bought=line.quantity,
                left=line.quantity,
                net_minor=line.net.minor,
            )
            for line in purchase.lines
        ),
    )


def _close_old(draft: Purchases, day: date, at: datetime) -> None:
    """
    Forget what can no longer come back, so that the state holds only what is open.

    A day that is later than it is anywhere at that moment is a mistake and closes nothing more.
    """
    today = min(day.toordinal(), at.date().toordinal() + 1)
    known_by = date.fromordinal(max(today - LATE_DAYS_MAX, 1))
    draft.returnable = open_purchases.closed_before(draft.returnable, known_by)


def _take_back(draft: Purchases, matched: Iterable[ReturnedLine]) -> None:
    for back in matched:
        purchase = draft.purchase(back.purchase)
        if purchase is None or draft.home is None:
            continue
        lines = tuple(
            line.less(back) if line.line_id == back.line_id else line for line in purchase.lines
        )
        if any(line.left for line in lines):
            less = attrs.evolve(purchase, lines=lines)
            draft.returnable = open_purchases.with_purchase(draft.returnable, less, draft.home)
        else:
            draft.returnable = open_purchases.without(draft.returnable, back.purchase)
