"""
Points expire at an exact moment, by time alone, however often anybody looks (LOY-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from clientela.domain.context import Context
from clientela.domain.event import Origin, PendingEvent, event
from clientela.domain.ids import Ref
from clientela.domain.loyalty.lots import Allocation, Lot, expired, total
from clientela.domain.loyalty.wallet import Wallet, put


@event("points-expired", origin=Origin.ELAPSED)
class PointsExpired:
    """
    Points were not spent in time (LOY-10).

    Attributes:
        points: How many, 1 or more.

        allocations: From which lots.
    """

    points: int
    allocations: tuple[Allocation, ...]


def due(wallet: Wallet) -> datetime | None:
    """The next moment at which points expire."""
    return wallet.expires_next


def elapse(wallet: Wallet, context: Context) -> Iterable[PendingEvent]:
    """Every lot whose moment has come expires, all in one event."""
    lots = _expired(wallet, context.now)
    return (_pending(lots, context.now),) if lots else ()


def expire_late(wallet: Wallet, since: datetime, now: datetime) -> Iterator[PendingEvent]:
    """
    Points that came or came back after their time expire at once (loyalty invariant 16).

    Args:
        wallet: Where they are.

        since: When what brought them happened; none of them expired before that.

        now: Until when expiry is to be made good.
    """
    late: dict[datetime, list[Lot]] = {}
    for lot in _expired(wallet, now):
        assert lot.expires_at is not None
        late.setdefault(max(lot.expires_at, since), []).append(lot)
    for moment, lots in sorted(late.items()):
        yield _pending(lots, moment)


def _expired(wallet: Wallet, now: datetime) -> tuple[Lot, ...]:
    """Lots with points that are gone at *now*; looked for only if any moment has come."""
    first = due(wallet)
    return () if first is None or first > now else expired(wallet.spendable(), now)


def _pending(lots: Iterable[Lot], moment: datetime) -> PendingEvent:
    lots = tuple(lots)
    allocations = tuple(Allocation(lot_id=lot.lot_id, points=lot.free) for lot in lots)
    return PendingEvent(
        PointsExpired(points=total(allocations), allocations=allocations),
        rule="loyalty.expires_after_months",
        because=tuple(sorted({lot.issue for lot in lots})),
        occurred_at=moment,
    )


def fold_expired(draft: Wallet, happened: PointsExpired, _ref: Ref) -> None:
    """The points are gone, and their lots remember how many expired."""
    for allocation in happened.allocations:
        lot = draft.lot(allocation.lot_id)
        if lot is not None:
            put(
                draft,
                attrs.evolve(
                    lot,
                    remaining=lot.remaining - allocation.points,
                    expired=lot.expired + allocation.points,
                ),
            )
    draft.expired += happened.points
