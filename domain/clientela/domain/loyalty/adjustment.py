"""
Points given or taken by hand, for a stated reason: goodwill, opening balances, corrections.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import attrs

from clientela.domain.calendar import day_end, zone
from clientela.domain.context import Context, Naming
from clientela.domain.errors import InvalidValueError, UnknownError
from clientela.domain.event import Key, Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Code, JournalId, JournalKind, Ref, WalletId, wallet_journal
from clientela.domain.loyalty.lots import POINTS_MAX, Allocation, Lot, lot_of_adjustment
from clientela.domain.loyalty.programme import Programme
from clientela.domain.loyalty.refusals import AmountNotPositiveError, ProgrammeInactiveError
from clientela.domain.loyalty.spending import take_exactly
from clientela.domain.loyalty.wallet import Wallet, put, take
from clientela.domain.record import Record


ADJUSTMENT_SCOPE = "adjustment"
"""Scope of the business identities of adjustments."""

PRIORITY_MAX = 1000


@attrs.frozen(kw_only=True)
class AdjustPoints:
    """
    Give or take points by hand.

    Attributes:
        wallet_id: Whose points.

        adjustment: Identity of it; the same one again with the same content changes nothing.

        points: Above 0 to give, below 0 to take; at most `POINTS_MAX` either way.

        reason: Code of the company's list: goodwill, opening-balance ...

        expires_on: Last local day of points given; None means as the programme says.

        priority: Points given of a lower number are spent first; earned points have 0.

        occurred_at: When, if not now. Points given count from now.
    """

    wallet_id: WalletId
    adjustment: BusinessKey
    points: int
    reason: Code
    expires_on: date | None = None
    priority: int = 0
    occurred_at: datetime | None = None

    def journals(self) -> tuple[JournalId, ...]:
        """The wallet's."""
        return (wallet_journal(self.wallet_id),)


@event("points-granted", origin=Origin.DECIDED)
class PointsGranted:
    """
    Points were given by hand; they form one lot.

    Attributes:
        adjustment: Identity of it.

        points: How many, 1 or more.

        reason: Why.

        effective_at: Since when the points count.

        expires_at: First instant at which they are gone; None means never.

        expires_on: Their last local day, where it was asked for.

        priority: Points of a lower number are spent first.
    """

    adjustment: BusinessKey
    points: int
    reason: Code
    effective_at: datetime
    expires_at: datetime | None
    expires_on: date | None = None
    priority: int = 0


@event("points-withdrawn", origin=Origin.DECIDED)
class PointsWithdrawn:
    """
    Points were taken by hand.

    Attributes:
        adjustment: Identity of it.

        points: How many, 1 or more.

        reason: Why.

        allocations: From which lots, in spending order.
    """

    adjustment: BusinessKey
    points: int
    reason: Code
    allocations: tuple[Allocation, ...]


def keys(command: AdjustPoints, naming: Naming) -> tuple[Key, ...]:
    """The identity of the adjustment."""
    identity = command.adjustment
    return (naming.business_key(ADJUSTMENT_SCOPE, identity.source, identity.id),)


def adjust(record: Record, command: AdjustPoints, context: Context) -> Iterable[PendingEvent]:
    """
    Give or take points, once.

    Raises:
        UnknownError: no such wallet.

        AmountNotPositiveError: no points, or too many.

        InvalidValueError: points given would have expired, or on the last day there is, or their
            priority is out of bounds.

        ProgrammeInactiveError: there is no programme in force.

        InsufficientPointsError: there are not as many to take.

        MismatchError: the identity was used for another adjustment of this wallet.

        KeyTakenError: another wallet used it.
    """
    wallet = record.of(Wallet)
    if wallet.opened is None:
        raise UnknownError("wallet", command.wallet_id)
    key = keys(command, context)
    if record.is_done(key[0], JournalKind.WALLET, context.fingerprint):
        return ()
    if not 1 <= abs(command.points) <= POINTS_MAX:
        raise AmountNotPositiveError
    if command.points < 0:
        return (_withdrawn(wallet, command, key, context),)
    return (_granted(wallet, command, key, context),)


def _withdrawn(
    wallet: Wallet, command: AdjustPoints, key: tuple[Key, ...], context: Context
) -> PendingEvent:
    allocations = take_exactly(wallet, -command.points, context.now)
    withdrawn = PointsWithdrawn(
        adjustment=command.adjustment,
        points=-command.points,
        reason=command.reason,
        allocations=allocations,
    )
    because = wallet.issues(allocations)
    return PendingEvent(withdrawn, rule="LOY-10", because=because, reserve=key)


def _granted(
    wallet: Wallet, command: AdjustPoints, key: tuple[Key, ...], context: Context
) -> PendingEvent:
    version = context.definitions.at(context.now)
    programme = version.of(Programme)
    if programme.currency is None:
        raise ProgrammeInactiveError(Code("currency"))
    if abs(command.priority) > PRIORITY_MAX:
        raise InvalidValueError("priority", f"{-PRIORITY_MAX} to {PRIORITY_MAX}")
    expires_at = programme.expires_at(context.now)
    if command.expires_on is not None:
        if command.expires_on == date.max:
            raise InvalidValueError("expires_on", f"a day before {date.max}, or none")
        expires_at = day_end(command.expires_on, zone(programme.zone))
    if expires_at is not None and expires_at <= context.now:
        raise InvalidValueError("expires_on", "today or later")
    granted = PointsGranted(
        adjustment=command.adjustment,
        points=command.points,
        reason=command.reason,
        effective_at=context.now,
        expires_at=expires_at,
        expires_on=command.expires_on,
        priority=command.priority,
    )
    assert wallet.opened is not None
    return PendingEvent(
        granted,
        rule="LOY-10",
        because=(wallet.opened,),
        definition=version.label("loyalty"),
        reserve=key,
    )


def asked(
    adjusted: PointsGranted | PointsWithdrawn, wallet_id: WalletId, at: datetime
) -> AdjustPoints:
    """The command behind an adjustment."""
    if isinstance(adjusted, PointsWithdrawn):
        return AdjustPoints(
            wallet_id=wallet_id,
            adjustment=adjusted.adjustment,
            points=-adjusted.points,
            reason=adjusted.reason,
            occurred_at=at,
        )
    return AdjustPoints(
        wallet_id=wallet_id,
        adjustment=adjusted.adjustment,
        points=adjusted.points,
        reason=adjusted.reason,
        expires_on=adjusted.expires_on,
        priority=adjusted.priority,
        occurred_at=at,
    )


def fold_granted(draft: Wallet, granted: PointsGranted, recorded: RecordedEvent) -> None:
    """One lot more."""
    lot = Lot(
        lot_id=lot_of_adjustment(granted.adjustment),
        issued=granted.points,
        remaining=granted.points,
        effective_at=granted.effective_at,
        expires_at=granted.expires_at,
        definition=None if recorded.definition is None else Code(recorded.definition),
        issue=recorded.ref,
        priority=granted.priority,
    )
    put(draft, lot)
    draft.granted += granted.points


def fold_withdrawn(draft: Wallet, withdrawn: PointsWithdrawn, _ref: Ref) -> None:
    """The points are gone."""
    take(draft, withdrawn.allocations)
    draft.withdrawn += withdrawn.points
