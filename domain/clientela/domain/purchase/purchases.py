"""
Purchases whose lines may still come back, and returns that wait for their purchase.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from operator import attrgetter

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
from clientela.domain.ids import Code, JournalKind, Ref, WalletId


LATE_DAYS_MAX = 366
"""Days by which a return may become known late and still find its purchase."""


@attrs.frozen(kw_only=True)
class OpenLine:
    """
    A purchase line and how much of it the client still has.

    Attributes:
        line_id: Which line.

        sku: What was bought.

        bought: Pieces bought.

        left: Pieces not returned, 0 to *bought*.

        net_minor: What the line cost, in minor units of the purchase's currency.

        refunded_minor: What was paid back for it so far.
    """

    line_id: Code
    sku: Code
    bought: int
    left: int
    net_minor: int
    refunded_minor: int = 0

    def less(self, back: ReturnedLine) -> OpenLine:
        """This line after *back* of it came back."""
        return attrs.evolve(
            self,
            left=self.left - back.quantity,
            refunded_minor=self.refunded_minor + back.refund.minor,
        )


@attrs.frozen(kw_only=True)
class OpenPurchase:
    """
    A purchase of which something may still come back.

    Attributes:
        purchase: Its identity.

        ref: Its event.

        occurred_at: When it was made.

        currency: Its currency.

        wallet_id: The wallet it was credited to.

        returnable_until: Last calendar day for returns; None without limit.

        lines: Its lines.
    """

    purchase: BusinessKey
    ref: Ref
    occurred_at: datetime
    currency: str
    wallet_id: WalletId
    returnable_until: date | None
    lines: tuple[OpenLine, ...]

    def is_returnable(self, day: date) -> bool:
        """Whether lines may come back on *day*."""
        return self.returnable_until is None or day <= self.returnable_until


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
        open: Purchases of which something may come back, by identity.

        waiting: Returns that wait for their purchase, by identity.
    """

    open: dict[BusinessKey, OpenPurchase] = attrs.field(factory=dict[BusinessKey, OpenPurchase])
    waiting: dict[BusinessKey, WaitingReturn] = attrs.field(
        factory=dict[BusinessKey, WaitingReturn]
    )


def evolve(draft: Purchases, recorded: RecordedEvent) -> None:
    """Fold an event into *draft*."""
    match recorded.event:
        case PurchaseRecorded() as purchase:
            _close_old(draft, purchase.local_date)
            draft.open[purchase.purchase] = _opened(purchase, recorded)
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


_UNTIL = attrgetter("returnable_until")


def _close_old(draft: Purchases, day: date) -> None:
    """Forget what can no longer come back, so that the state holds only what is open."""
    known_by = day - timedelta(days=LATE_DAYS_MAX)
    untils = map(_UNTIL, draft.open.values())
    for key in [
        k for k, until in zip(draft.open, untils, strict=True) if until and until < known_by
    ]:
        del draft.open[key]


def _take_back(draft: Purchases, matched: Iterable[ReturnedLine]) -> None:
    for back in matched:
        purchase = draft.open.get(back.purchase)
        if purchase is None:
            continue
        lines = tuple(
            line.less(back) if line.line_id == back.line_id else line for line in purchase.lines
        )
        if any(line.left for line in lines):
            draft.open[back.purchase] = attrs.evolve(purchase, lines=lines)
        else:
            del draft.open[back.purchase]
