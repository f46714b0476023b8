"""
Garbage: how often a service looks for cycles among what it holds.

Records in memory have none, so that looking through all of them again and again finds nothing and
holds calls up; what is released otherwise is released at once, by count.
"""

from __future__ import annotations

import gc


YOUNG = 20_000
"""Objects made since the last look, less those released, after which the youngest are looked at."""

MIDDLE = 20
"""Looks at the youngest after which those that were left over are looked at."""

OLD = 50
"""Looks at these after which everything is, if it has grown by a quarter."""


def look_seldom() -> None:
    """Leave out what is there now, for good, and look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
