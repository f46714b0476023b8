"""
What a return does to a wallet: spent points come back first, then earned ones are taken.

In that order, so that the points coming back can answer for the points taken. A return that is
matched before the wallet has heard of its purchase waits for it. One that named another wallet
than its purchase was credited to reaches this one by a follow-up:

    client: ReturnForwarded ─► ReceiveReturn ─► wallet: ReturnReceived ─► points as ever
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.draft import thaw
from clientela.domain.event import Key, Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import BusinessKey, ReturnedLine, ReturnForwarded
from clientela.domain.ids import Code, JournalId, JournalKind, Ref, WalletId, wallet_journal
from clientela.domain.loyalty.debt import settled
from clientela.domain.loyalty.restoration import PointsRestored, fold_restored, restore
from clientela.domain.loyalty.revocation import PointsRevoked, fold_revoked, revoke
from clientela.domain.loyalty.traces import ParkedReturn, Pieces
from clientela.domain.loyalty.wallet import Wallet
from clientela.domain.record import Record


FORWARDED_SCOPE = "forwarded-return"
"""Scope of the identities of returns that reached a wallet they had not named."""


@attrs.frozen(kw_only=True)
class ReceiveReturn:
    """
    Let a return that named another wallet do to this one what it does to points (LOY-10).

    Attributes:
        wallet_id: The wallet its purchases were credited to.

        return_key: The return; the same one again changes nothing.

        lines: The pieces, 1 or more.

        forwarded: The event that asked for it.

        occurred_at: When they came back, if not now.
    """

    wallet_id: WalletId
    return_key: BusinessKey
    lines: tuple[ReturnedLine, ...]
    forwarded: Ref
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The wallet's."""
        return (wallet_journal(self.wallet_id),)


@event("return-received", origin=Origin.RECORDED)
class ReturnReceived:
    """
    A return that had named another wallet reached the one its purchases were credited to (LOY-10).

    Attributes:
        return_key: The return.

        lines: The pieces.
    """

    return_key: BusinessKey
    lines: tuple[ReturnedLine, ...]


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


def follow_up(recorded: RecordedEvent) -> Iterator[ReceiveReturn]:
    """What is forwarded is received by the wallet it is for."""
    forwarded: ReturnForwarded = recorded.event
    yield ReceiveReturn(
        wallet_id=forwarded.wallet_id,
        return_key=forwarded.return_key,
        lines=forwarded.lines,
        forwarded=recorded.ref,
        occurred_at=recorded.occurred_at,
    )


def keys(command: ReceiveReturn, naming: Naming) -> tuple[Key, ...]:
    """The return at this wallet: one return may be forwarded to several."""
    identity = command.return_key
    return (
        naming.business_key(
            FORWARDED_SCOPE, identity.source, f"{identity.id}\0{command.wallet_id}"
        ),
    )


def receive(record: Record, command: ReceiveReturn, context: Context) -> Iterable[PendingEvent]:
    """
    Write down a return that was forwarded, once; nothing where no points ever were.

    Raises:
        MismatchError: the same return was forwarded with other content.
    """
    key = keys(command, context)
    is_done = record.is_done(key[0], JournalKind.WALLET, context.fingerprint)
    if is_done or record.of(Wallet).opened is None:
        return ()
    received = ReturnReceived(return_key=command.return_key, lines=command.lines)
    because = (command.forwarded,)
    return (PendingEvent(received, rule="LOY-10", because=because, reserve=key),)


def take_back(
    wallet: Wallet,
    returned: Returned,
    return_key: BusinessKey,
    cause: RecordedEvent,
    context: Context,
    *,
    is_paid_out: bool = False,
) -> Iterator[PendingEvent]:
    """
    Everything that a return of pieces does to points, purchase by purchase.

    Where the refund *is_paid_out* already, nothing can be deducted from it any more.
    """
    draft = thaw(wallet)
    for purchase, pieces in sorted(returned.items()):
        given = restore(draft, purchase, pieces, return_key, cause.ref)
        if given is not None:
            yield given
            assert isinstance(given.event, PointsRestored)
            fold_restored(draft, given.event, cause.ref)
            draft = settled(draft, cause, context)
    for purchase, pieces in sorted(returned.items()):
        lost = revoke(
            draft, purchase, pieces, return_key, cause.ref, context.now, is_paid_out=is_paid_out
        )
        for taken in lost:
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
