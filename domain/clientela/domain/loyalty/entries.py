"""
The ledger's events as double entries: what leaves one account comes to another (invariant 2).
"""

from __future__ import annotations

import enum

from collections.abc import Iterator
from typing import Any

import attrs

from clientela.domain.loyalty.adjustment import PointsGranted, PointsWithdrawn
from clientela.domain.loyalty.debt import DebtCreated, DebtRepaid
from clientela.domain.loyalty.earning import PointsIssued
from clientela.domain.loyalty.expiry import PointsExpired
from clientela.domain.loyalty.lots import (
    Allocation,
    LotId,
    lot_of_adjustment,
    lot_of_line,
)
from clientela.domain.loyalty.programme import Shortfall
from clientela.domain.loyalty.restoration import PointsRestored
from clientela.domain.loyalty.revocation import PointsRevoked
from clientela.domain.loyalty.spending import PointsCaptured


class Account(enum.Enum):
    """Where points come from and go to. All accounts sum to 0."""

    WALLET = "wallet"
    """Points in lots."""

    DEBT = "debt"
    """Points owed, as a negative number."""

    ISSUANCE = "issuance"
    ADJUSTMENT = "adjustment"
    REDEMPTION = "redemption"
    BREAKAGE = "breakage"
    REVOCATION = "revocation"
    FORGIVEN = "forgiven"
    REFUND = "refund"


@attrs.frozen
class Entry:
    """
    Points that an account gained or lost.

    Attributes:
        account: Which account.

        points: Gained above 0, lost below 0.
    """

    account: Account
    points: int


def entries(event: Any) -> tuple[Entry, ...]:
    """What *event* moved, summing to 0; nothing for events that move no points."""
    match event:
        case PointsIssued(points=points):
            return _move(points, Account.ISSUANCE, Account.WALLET)
        case PointsGranted(points=points):
            return _move(points, Account.ADJUSTMENT, Account.WALLET)
        case PointsWithdrawn(points=points):
            return _move(points, Account.WALLET, Account.ADJUSTMENT)
        case PointsCaptured(points=points):
            return _move(points, Account.WALLET, Account.REDEMPTION)
        case PointsRestored(points=points):
            return _move(points, Account.REDEMPTION, Account.WALLET)
        case PointsExpired(points=points):
            return _move(points, Account.WALLET, Account.BREAKAGE)
        case DebtCreated(points=points):
            return _move(points, Account.DEBT, Account.REVOCATION)
        case DebtRepaid(points=points):
            return _move(points, Account.WALLET, Account.DEBT)
        case PointsRevoked(charged=charged, shortfall=shortfall, policy=policy):
            return (
                *_move(charged, Account.WALLET, Account.REVOCATION),
                *_waived(shortfall, policy),
            )
        case _:
            return ()


def _waived(shortfall: int, policy: Shortfall) -> tuple[Entry, ...]:
    """Who bears a shortfall that is not owed; debt has an event of its own."""
    if policy is Shortfall.DEBT:
        return ()
    bearer = Account.FORGIVEN if policy is Shortfall.CLAMP else Account.REFUND
    return _move(shortfall, bearer, Account.REVOCATION)


def _move(points: int, source: Account, target: Account) -> tuple[Entry, ...]:
    return (Entry(source, -points), Entry(target, points)) if points else ()


def lot_movements(event: Any) -> Iterator[tuple[LotId, int]]:
    """What *event* did to each lot: points gained above 0, lost below 0."""
    match event:
        case PointsIssued(purchase=purchase, lines=lines):
            for line in lines:
                yield lot_of_line(purchase, line.line_id), line.points
        case PointsGranted(adjustment=adjustment, points=points):
            yield lot_of_adjustment(adjustment), points
        case PointsRestored(allocations=allocations):
            yield from _signed(allocations, 1)
        case (
            PointsWithdrawn(allocations=allocations)
            | PointsCaptured(allocations=allocations)
            | PointsExpired(allocations=allocations)
            | DebtRepaid(allocations=allocations)
        ):
            yield from _signed(allocations, -1)
        case PointsRevoked(lines=revoked):
            for loss in revoked:
                yield from _signed(loss.allocations, -1)
        case _:
            pass


def _signed(allocations: tuple[Allocation, ...], sign: int) -> Iterator[tuple[LotId, int]]:
    for allocation in allocations:
        yield allocation.lot_id, sign * allocation.points
