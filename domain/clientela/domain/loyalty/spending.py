"""
Points as tender: spent once, from recorded lots, never more than there are (LOY-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.context import Context, Naming
from clientela.domain.errors import UnknownError
from clientela.domain.event import Key, Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import BusinessKey, PurchaseRecorded, TenderKind
from clientela.domain.ids import Code, JournalId, JournalKind, Ref, WalletId, wallet_journal
from clientela.domain.loyalty.apportionment import largest_remainder
from clientela.domain.loyalty.card import CardId
from clientela.domain.loyalty.card_use import usable
from clientela.domain.loyalty.lots import POINTS_MAX, Allocation, allocate, free_points, total
from clientela.domain.loyalty.programme import Programme
from clientela.domain.loyalty.refusals import (
    AmountNotPositiveError,
    InsufficientPointsError,
    ProgrammeInactiveError,
)
from clientela.domain.loyalty.traces import PaidLine, Redemption
from clientela.domain.loyalty.wallet import Wallet, take
from clientela.domain.money import Money
from clientela.domain.record import Record


SPEND_SCOPE = "spend"
"""Scope of the business identities of spends."""


@attrs.frozen(kw_only=True)
class SpendPoints:
    """
    Pay with points.

    Attributes:
        wallet_id: Whose points.

        spend: Identity of the payment; the same one again with the same content changes nothing.

        points: How many, 1 to `POINTS_MAX`.

        purchase: The purchase they pay for, recorded before or after; its return gives them back.

        card_id: The card presented, if one was.

        occurred_at: When, if not now. What can be spent is judged now all the same.
    """

    wallet_id: WalletId
    spend: BusinessKey
    points: int
    purchase: BusinessKey | None = None
    card_id: CardId | None = None
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The wallet's."""
        return (wallet_journal(self.wallet_id),)


@event("points-captured", origin=Origin.DECIDED)
class PointsCaptured:
    """
    Points were spent (LOY-10).

    Attributes:
        spend: Identity of the payment.

        points: How many, 1 or more.

        allocations: From which lots, in spending order; they sum to *points*.

        worth: What they paid.

        purchase: The purchase they pay for, if it was named.

        card_id: The card presented, if one was.
    """

    spend: BusinessKey
    points: int
    allocations: tuple[Allocation, ...]
    worth: Money
    purchase: BusinessKey | None = None
    card_id: CardId | None = None


@attrs.frozen(kw_only=True)
class AttributedLine:
    """
    The part of a purchase line that was paid in points.

    Attributes:
        line_id: Which line.

        quantity: Pieces bought.

        points: Points, 0 or more.

        worth: What points counted for as tender.
    """

    line_id: Code
    quantity: int
    points: int
    worth: Money


@event("tender-attributed", origin=Origin.DERIVED)
class TenderAttributed:
    """
    A purchase was paid in points; each line bears its share, so that a return can give it back.

    Attributes:
        purchase: The purchase.

        lines: Lines in order of line ids; they sum to the points tendered.
    """

    purchase: BusinessKey
    lines: tuple[AttributedLine, ...]


def keys(command: SpendPoints, naming: Naming) -> tuple[Key, ...]:
    """The identity of the payment."""
    return (naming.business_key(SPEND_SCOPE, command.spend.source, command.spend.id),)


def spend(record: Record, command: SpendPoints, context: Context) -> Iterable[PendingEvent]:
    """
    Spend points, once.

    Raises:
        UnknownError: no such wallet or card.

        AmountNotPositiveError: the points are not 1 to `POINTS_MAX`.

        CardBlockedError: the card presented is blocked.

        CardReplacedError: the card presented was replaced.

        ProgrammeInactiveError: points cannot be spent in the programme in force.

        InsufficientPointsError: there are not as many.

        MismatchError: the identity was used for another payment of this wallet.

        KeyTakenError: another wallet used it.
    """
    wallet = record.of(Wallet)
    if wallet.opened is None:
        raise UnknownError("wallet", command.wallet_id)
    key = keys(command, context)
    if record.is_done(key[0], JournalKind.WALLET, context.fingerprint):
        return ()
    if not 1 <= command.points <= POINTS_MAX:
        raise AmountNotPositiveError
    card = None if command.card_id is None else usable(wallet, command.card_id)
    version = context.definitions.at(context.now)
    value = version.of(Programme).point_value
    if value is None:
        raise ProgrammeInactiveError(Code("spending"))
    allocations = take_exactly(wallet, command.points, context.now)
    captured = PointsCaptured(
        spend=command.spend,
        points=command.points,
        allocations=allocations,
        worth=value.of(command.points),
        purchase=command.purchase,
        card_id=command.card_id,
    )
    because = (*wallet.issues(allocations), *((card.changed,) if card else ()))
    label = version.label("loyalty")
    return (PendingEvent(captured, rule="LOY-10", because=because, definition=label, reserve=key),)


def take_exactly(wallet: Wallet, points: int, now: datetime) -> tuple[Allocation, ...]:
    """
    What to take from each lot to have exactly *points*.

    Raises:
        InsufficientPointsError: there are not as many.
    """
    allocations = allocate(wallet.spendable(), points, now)
    if total(allocations) < points:
        lots = tuple(wallet.spendable())
        raise InsufficientPointsError(
            available=free_points(lots, now),
            held=sum(lot.held for lot in lots),
            debt=wallet.debt,
            because=tuple(sorted({*(lot.issue for lot in lots), *wallet.debts})),
        )
    return allocations


def attribute(recorded: RecordedEvent) -> Iterator[PendingEvent]:
    """What each line of a purchase was paid in points, in proportion to its price."""
    purchase: PurchaseRecorded = recorded.event
    tenders = tuple(t for t in purchase.tenders if t.kind is TenderKind.POINTS)
    points = sum(tender.points for tender in tenders)
    if not points:
        return
    prices = {line.line_id: line.net.minor for line in purchase.lines}
    worth = sum(tender.amount.minor for tender in tenders)
    points_of, worth_of = largest_remainder(points, prices), largest_remainder(worth, prices)
    attributed = TenderAttributed(
        purchase=purchase.purchase,
        lines=tuple(
            AttributedLine(
                line_id=line.line_id,
                quantity=line.quantity,
                points=points_of[line.line_id],
                worth=Money(worth_of[line.line_id], purchase.total.currency),
            )
            for line in sorted(purchase.lines, key=lambda line: line.line_id)
            if points_of[line.line_id] or worth_of[line.line_id]
        ),
    )
    yield PendingEvent(attributed, rule="LOY-10", because=(recorded.ref,))


def fold_captured(draft: Wallet, captured: PointsCaptured, ref: Ref) -> None:
    """The points are spent; a purchase they pay for remembers from which lots."""
    take(draft, captured.allocations)
    draft.captured += captured.points
    if captured.purchase is not None:
        known = draft.redemptions.get(captured.purchase, Redemption())
        draft.redemptions[captured.purchase] = attrs.evolve(
            known,
            captured=(*known.captured, *captured.allocations),
            refs=(*known.refs, ref),
        )


def fold_attributed(draft: Wallet, attributed: TenderAttributed, ref: Ref) -> None:
    """The lines are known for which points were spent."""
    known = draft.redemptions.get(attributed.purchase, Redemption())
    lines = tuple(
        PaidLine(line_id=line.line_id, quantity=line.quantity, points=line.points, worth=line.worth)
        for line in attributed.lines
    )
    draft.redemptions[attributed.purchase] = attrs.evolve(known, lines=lines, tender=ref)
    draft.latest_purchase = attributed.purchase
