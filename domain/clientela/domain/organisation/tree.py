"""
The tree of units: who stands above whom.

Two moves at the same moment, each harmless by itself, can close a circle that neither could see.
Walking therefore ends at a unit met before and after `DEPTH_MAX` steps, whatever the tree says.
"""

from __future__ import annotations

from collections.abc import Iterator

from clientela.domain.context import Units
from clientela.domain.ids import UnitId


DEPTH_MAX = 32
"""Units above one unit, at most."""


def ancestors(unit_id: UnitId, units: Units) -> Iterator[UnitId]:
    """The units above *unit_id*, nearest first, each once, at most `DEPTH_MAX`; never itself."""
    met = {unit_id}
    place = units.place(unit_id)
    for _ in range(DEPTH_MAX):
        if place is None or place.parent_id is None or place.parent_id in met:
            return
        met.add(place.parent_id)
        yield place.parent_id
        place = units.place(place.parent_id)


def is_within(unit_id: UnitId, whole_id: UnitId, units: Units) -> bool:
    """Whether *unit_id* is *whole_id* or stands below it."""
    return unit_id == whole_id or whole_id in ancestors(unit_id, units)


def depth(unit_id: UnitId, units: Units) -> int:
    """How many units stand above *unit_id*, 0 to `DEPTH_MAX`."""
    return sum(1 for _ in ancestors(unit_id, units))
