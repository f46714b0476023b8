"""
Splitting whole points into whole parts that sum to exactly what was split (loyalty invariant 19).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar


_K = TypeVar("_K", bound=str)


def largest_remainder(total: int, weights: Mapping[_K, int]) -> dict[_K, int]:
    """
    Split *total* in proportion to *weights*.

    Each part is its exact share rounded down; what is left over goes, one each, to the largest
    remainders, ties to the lower key. The order of *weights* does not matter.

    Args:
        total: What to split, 0 or more.

        weights: At least one, each 0 or more. Where all are 0 they count alike.

    Returns:
        A part for each key. No part is above its exact share rounded up.
    """
    whole = sum(weights.values())
    if not whole:
        weights, whole = dict.fromkeys(weights, 1), len(weights)
    parts = {key: total * weight // whole for key, weight in weights.items()}
    left_over = total - sum(parts.values())
    by_remainder = sorted(weights, key=lambda key: (-(total * weights[key] % whole), key))
    for key in by_remainder[:left_over]:
        parts[key] += 1
    return parts
