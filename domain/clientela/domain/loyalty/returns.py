"""
What a return does to a wallet: spent points come back first, then earned ones are taken.

In that order, so that the points coming back can answer for the points taken. A return that is
matched before the wallet has heard of its purchase waits for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from clientela.domain.context import Context
from clientela.domain.draft import thaw
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import BusinessKey, ReturnedLine
from clientela.domain.ids import Code, Ref
from clientela.domain.loyalty.debt import settled
from clientela.domain.loyalty.restoration import PointsRestored, fold_restored, restore
from clientela.domain.loyalty.revocation import PointsRevoked, fold_revoked, revoke
from clientela.domain.loyalty.traces import ParkedReturn, Pieces
from clientela.domain.loyalty.wallet import Wallet


@event("return-parked", origin=Origin.DERIVED)
class ReturnParked:
    """
    Pieces came back of a purchase that the wallet has not heard of yet.

    Attributes:
        purchase: The purchase.

        return_key: The return.

        pieces: What came back.
    """

    purchase: BusinessKey
    return_key: BusinessKey
    pieces: tuple[Pieces, ...]


@event("return-resumed", origin=Origin.DERIVED)
class ReturnResumed:
    """
    The wallet heard of the purchase that a parked return waited for.

    Attributes:
        purchase: The purchase.

        return_key: The return.

        pieces: What had come back.
    """

    purchase: BusinessKey
    return_key: BusinessKey
    pieces: tuple[Pieces, ...]


Returned = dict[BusinessKey, Counter[Code]]
"""Pieces by purchase and line."""


def take_back(
    wallet: Wallet,
    returned: Returned,
    return_key: BusinessKey,
    cause: RecordedEvent,
    context: Context,
) -> Iterator[PendingEvent]:
    """Everything that a return of pieces does to points, purchase by purchase."""
    draft = thaw(wallet)
    for purchase, pieces in sorted(returned.items()):
        given = restore(draft, purchase, pieces, return_key, cause.ref)
        if given is not None:
            yield given
            assert isinstance(given.event, PointsRestored)
            fold_restored(draft, given.event, cause.ref)
            draft = settled(draft, cause, context)
    for purchase, pieces in sorted(returned.items()):
        for taken in revoke(draft, purchase, pieces, return_key, cause.ref, context.now):
            yield taken
            if isinstance(taken.event, PointsRevoked):
                fold_revoked(draft, taken.event, cause.ref)


def by_purchase(lines: Iterable[ReturnedLine]) -> Returned:
    """Pieces of matched lines by purchase and line."""
    returned: Returned = {}
    for line in lines:
        returned.setdefault(line.purchase, Counter())[line.line_id] += line.quantity
    return returned


def waited(resumed: ReturnResumed) -> Returned:
    """Pieces of a return that had been parked."""
    return {resumed.purchase: Counter({p.line_id: p.quantity for p in resumed.pieces})}


def park(
    wallet: Wallet, returned: Returned, return_key: BusinessKey, cause: Ref
) -> Iterator[PendingEvent]:
    """Let what came back of purchases that *wallet* has not heard of wait."""
    for purchase, pieces in sorted(returned.items()):
        if not wallet.has_heard_of(purchase):
            parked = ReturnParked(
                purchase=purchase,
                return_key=return_key,
                pieces=tuple(
                    Pieces(line_id=line_id, quantity=quantity)
                    for line_id, quantity in sorted(pieces.items())
                ),
            )
            yield PendingEvent(parked, rule="DEV-5", because=(cause,))


def resume(wallet: Wallet, purchase: BusinessKey, cause: Ref) -> Iterator[PendingEvent]:
    """Returns that waited for *purchase*, in the order in which they were parked."""
    for parked in wallet.parked.get(purchase, ()):
        resumed = ReturnResumed(
            purchase=purchase, return_key=parked.return_key, pieces=parked.pieces
        )
        yield PendingEvent(resumed, rule="DEV-5", because=(cause, parked.ref))


def fold_parked(draft: Wallet, parked: ReturnParked, ref: Ref) -> None:
    """One more return waits."""
    waiting = draft.parked.get(parked.purchase, ())
    added = ParkedReturn(return_key=parked.return_key, pieces=parked.pieces, ref=ref)
    draft.parked[parked.purchase] = (*waiting, added)


def fold_resumed(draft: Wallet, resumed: ReturnResumed, _ref: Ref) -> None:
    """The first return that waited for the purchase no longer does."""
    waiting = draft.parked.pop(resumed.purchase, ())[1:]
    if waiting:
        draft.parked[resumed.purchase] = waiting
