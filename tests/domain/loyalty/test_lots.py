"""
Taking points from lots, first what expires first.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs

from hypothesis import given, settings
from hypothesis.strategies import builds, integers, lists, none, one_of, permutations

from clientela.domain.facts import BusinessKey
from clientela.domain.ids import BusinessId, Code, Ref, wallet_journal
from clientela.domain.loyalty.lots import (
    Allocation,
    Lot,
    LotId,
    allocate,
    expired,
    free_points,
    lot_of_adjustment,
    lot_of_line,
    spend_order,
)
from tests.domain.loyalty.shop import WALLET, key


NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ISSUE = Ref(wallet_journal(WALLET), 2)


def lot(
    name: str,
    remaining: int = 10,
    *,
    days: int | None = 30,
    held: int = 0,
    priority: int = 0,
    age: int = 0,
) -> Lot:
    """A lot that ends in *days* and is *age* days old."""
    return Lot(
        lot_id=LotId(name),
        issued=remaining,
        remaining=remaining,
        effective_at=NOW - timedelta(days=age),
        expires_at=None if days is None else NOW + timedelta(days=days),
        definition=Code("loyalty@1"),
        issue=ISSUE,
        held=held,
        priority=priority,
    )


def taken(*parts: tuple[str, int]) -> tuple[Allocation, ...]:
    """Points taken from lots, by name."""
    return tuple(Allocation(lot_id=LotId(name), points=points) for name, points in parts)


def test_lots_are_spent_by_priority_expiry_age_and_name():
    """
    LOY-10: promotional points go first, then what expires first; never-expiring ones go last.
    """
    lots = [
        lot("never", days=None),
        lot("b", days=20),
        lot("a", days=20),
        lot("older", days=20, age=1),
        lot("promo", days=None, priority=-1),
        lot("base", days=1, priority=1),
        lot("soon", days=2),
    ]

    order = [item.lot_id for item in sorted(lots, key=spend_order)]

    assert ["promo", "soon", "older", "a", "b", "never", "base"] == order


def test_held_and_expired_points_are_not_taken():
    """
    LOY-10: what is set aside stays; what ends at this very moment is gone (I9).
    """
    lots = [lot("held", held=7, days=1), lot("gone", days=0), lot("free", 5)]

    assert taken(("held", 3), ("free", 5)) == allocate(lots, 100, NOW)
    assert 8 == free_points(lots, NOW)
    assert () == allocate(lots, 0, NOW)


def test_only_what_is_not_held_expires():
    """
    LOY-10: expiry leaves held points to their reservation (loyalty F3).
    """
    lots = [
        lot("half", 100, days=0, held=60),
        lot("all", 5, days=-1),
        lot("held", 4, days=0, held=4),
    ]

    assert ["all", "half"] == [item.lot_id for item in expired(lots, NOW)]
    assert 40 == expired(lots, NOW)[1].free


def test_ids_of_lots_never_meet():
    """
    LOY-10: whatever signs receipt numbers and lines hold, two lots have two ids.
    """
    ids = [
        lot_of_line(key("a/b"), Code("c")),
        lot_of_line(key("a"), Code("b/c")),
        lot_of_line(key("a"), Code("b%2Fc")),
        lot_of_line(key("a"), Code("%adjustment")),
        lot_of_line(key("a"), Code("b")),
        lot_of_adjustment(key("a/b")),
        lot_of_adjustment(key("a")),
    ]

    assert len(ids) == len(set(ids))
    assert "till:7/2" == lot_of_line(BusinessKey(Code("till"), BusinessId("7")), Code("2"))


LOTS = lists(
    builds(
        lot,
        integers(0, 50).map(str),
        integers(0, 9),
        days=one_of(none(), integers(-2, 3)),
        priority=integers(-1, 1),
        age=integers(0, 3),
    ),
    unique_by=lambda item: item.lot_id,
    max_size=8,
)


@given(lots=LOTS.flatmap(permutations), points=integers(0, 40))
@settings(deadline=None)
def test_what_is_taken_does_not_depend_on_how_lots_are_stored(lots, points):
    """
    LOY-10: an allocation is exact, first things first, in whatever order lots are kept (I8).
    """
    found = allocate(lots, points, NOW)

    assert found == allocate(sorted(lots, key=lambda item: item.lot_id), points, NOW)
    assert min(points, free_points(lots, NOW)) == sum(a.points for a in found)
    by_id = {item.lot_id: item for item in lots}
    left = {**by_id}
    for allocation in found:
        was = by_id[allocation.lot_id]
        left[was.lot_id] = attrs.evolve(was, remaining=was.remaining - allocation.points)
    last = max((spend_order(by_id[a.lot_id]) for a in found), default=None)
    for item in left.values():
        if last is not None and item.free and item.is_live(NOW):
            assert spend_order(item) >= last
