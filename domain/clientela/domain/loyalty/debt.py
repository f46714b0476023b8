"""
Points owed: made only by returns, repaid by whatever comes next (loyalty invariants 6 and 7).
"""

from __future__ import annotations

from collections.abc import Iterator

from clientela.domain.context import Context
from clientela.domain.draft import thaw
from clientela.domain.event import Origin, PendingEvent, RecordedEvent, event
from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Ref
from clientela.domain.loyalty import expiry
from clientela.domain.loyalty.lots import Allocation, allocate, total
from clientela.domain.loyalty.wallet import Wallet, take


@event("debt-created", origin=Origin.DERIVED)
class DebtCreated:
    """
    A return took back more points than were there; the rest is owed.

    Attributes:
        points: How many more are owed, 1 or more.

        purchase: The purchase whose points are owed.

        return_key: The return.
    """

    points: int
    purchase: BusinessKey
    return_key: BusinessKey


@event("debt-repaid", origin=Origin.DERIVED)
class DebtRepaid:
    """
    Points that came repaid points owed, before anything else could be done with them.

    Attributes:
        points: How many, 1 or more.

        allocations: From which lots.
    """

    points: int
    allocations: tuple[Allocation, ...]


def settle(wallet: Wallet, cause: RecordedEvent, context: Context) -> Iterator[PendingEvent]:
    """What follows at once when points came in: late ones expire, the rest repays debt."""
    late = tuple(expiry.expire_late(wallet, cause.occurred_at, context.now))
    yield from late
    allocations = allocate(wallet.spendable(), wallet.debt, context.now)
    if allocations:
        yield PendingEvent(
            DebtRepaid(points=total(allocations), allocations=allocations),
            rule="loyalty.debt-first",
            because=tuple(dict.fromkeys((*wallet.debts, *wallet.issues(allocations)))),
        )


def settled(wallet: Wallet, cause: RecordedEvent, context: Context) -> Wallet:
    """A copy of *wallet* as `settle` leaves it."""
    draft = thaw(wallet)
    for pending in settle(wallet, cause, context):
        if isinstance(pending.event, DebtRepaid):
            fold_repaid(draft, pending.event, cause.ref)
        else:
            expiry.fold_expired(draft, pending.event, cause.ref)
    return draft


def fold_created(draft: Wallet, created: DebtCreated, ref: Ref) -> None:
    """More is owed."""
    draft.debt += created.points
    draft.debts = (*draft.debts, ref)
    draft.debt_created += created.points


def fold_repaid(draft: Wallet, repaid: DebtRepaid, _ref: Ref) -> None:
    """Less is owed."""
    take(draft, repaid.allocations)
    draft.debt -= repaid.points
    draft.debts = draft.debts if draft.debt else ()
    draft.debt_repaid += repaid.points
