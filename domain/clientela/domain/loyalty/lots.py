"""
Lots of points and how points are taken from them: first what expires first (FEFO, LOY-10).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import NewType, Protocol

import attrs

from clientela.domain.facts import BusinessKey
from clientela.domain.ids import Code, Ref


LotId = NewType("LotId", str)
"""Id of a lot, unique in its wallet and derived from what issued it."""

POINTS_MAX = 10**12
"""Points that one command may move."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Allocation:
    """
    Points taken from, or given back to, one lot.

    Attributes:
        lot_id: Which lot.

        points: How many, 1 or more.
    """

    lot_id: LotId
    points: int


@attrs.frozen(kw_only=True)
class Lot:
    """
    Points that came together and go together.

    Attributes:
        lot_id: Which lot.

        issued: Points it began with, 1 or more.

        remaining: Points still in it, held ones included, 0 to *issued*.

        effective_at: Since when they count.

        expires_at: First instant at which they are gone; None means never.

        definition: Programme and version under which they came, for instance `loyalty@3`.

        issue: The event that issued them.

        held: Points set aside for a reservation, 0 to *remaining*; they outlive expiry.

        expired: Points of it that expired, 0 to *issued*.

        priority: Lots of a lower number are spent first.

        purchase: The purchase that earned them; None for an adjustment.

        line_id: The line of it.
    """

    lot_id: LotId
    issued: int
    remaining: int
    effective_at: datetime
    expires_at: datetime | None
    definition: Code | None
    issue: Ref
    held: int = 0
    expired: int = 0
    priority: int = 0
    purchase: BusinessKey | None = None
    line_id: Code | None = None

    @property
    def free(self) -> int:
        """Points that are not held."""
        return self.remaining - self.held

    def is_live(self, at: datetime) -> bool:
        """Whether its points can be spent at *at*; at *expires_at* they no longer can."""
        return self.expires_at is None or at < self.expires_at


class Ranked(Protocol):
    """What is sorted into spending order: a lot, or what is known of one."""

    @property
    def priority(self) -> int:
        """Lots of a lower number are spent first."""
        ...

    @property
    def expires_at(self) -> datetime | None:
        """First instant at which its points are gone; None means never."""
        ...

    @property
    def effective_at(self) -> datetime:
        """Since when its points count."""
        ...

    @property
    def lot_id(self) -> LotId:
        """Which lot."""
        ...


def spend_order(lot: Ranked) -> tuple[int, datetime, datetime, LotId]:
    """
    Sorts lots into the order in which they are spent, whatever the order they are stored in.

    Priority, then the earliest expiry, never-expiring last, then the oldest, then the id.
    """
    return (lot.priority, lot.expires_at or _NEVER, lot.effective_at, lot.lot_id)


def lot_of_line(purchase: BusinessKey, line_id: Code) -> LotId:
    """Id of the lot that a purchase line earns: `<purchase>/<line>`, one for each line."""
    return LotId(f"{purchase}/{line_id.replace('%', '%25').replace('/', '%2F')}")


def lot_of_adjustment(adjustment: BusinessKey) -> LotId:
    """Id of the lot that an adjustment grants; never that of a purchase line."""
    return LotId(f"{adjustment}/%adjustment")


def free_points(lots: Iterable[Lot], at: datetime) -> int:
    """Points of *lots* that can be spent at *at*."""
    return sum(lot.free for lot in lots if lot.is_live(at))


def allocate(lots: Iterable[Lot], points: int, at: datetime) -> tuple[Allocation, ...]:
    """
    Take *points* from *lots* in spending order; what is held or expired at *at* is not taken.

    Args:
        lots: A collection in any order, or an iterator in spending order, of which no more is asked
            for than is needed.

        points: How many.

        at: When.

    Returns:
        What to take from each lot. It sums to *points*, or to all there is where that is less.
    """
    taken: list[Allocation] = []
    if points <= 0:
        return ()
    for lot in sorted(lots, key=spend_order) if isinstance(lots, Collection) else lots:
        if points <= 0:
            break
        if not lot.free or not lot.is_live(at):
            continue
        part = min(points, lot.free)
        taken.append(Allocation(lot_id=lot.lot_id, points=part))
        points -= part
    return tuple(taken)


def expired(lots: Iterable[Lot], at: datetime) -> tuple[Lot, ...]:
    """Lots with points that are gone at *at*, in spending order; held points stay."""
    return tuple(sorted((lot for lot in lots if lot.free and not lot.is_live(at)), key=spend_order))


def total(allocations: Iterable[Allocation]) -> int:
    """Points of all *allocations*."""
    return sum(allocation.points for allocation in allocations)
