"""
Rounds: figures taken again and again in turn, so that a busy neighbour spoils a round, not a ratio.

A ratio is made inside one round, of figures taken right after each other; what is reported is the
median over the rounds. Absolute figures are told too, and carry over to no other run.
"""

from __future__ import annotations

import math
import statistics

from collections.abc import Iterable, Mapping, Sequence

import attrs


Figures = dict[str, float]
"""What one round measured, by name; ratios that goals are set for bear the goal's key."""

MICROSECONDS = 1_000_000


@attrs.frozen(kw_only=True)
class Spread:
    """
    One figure over all rounds.

    Attributes:
        median: The middle one.

        least: The smallest.

        most: The largest.

        rounds: How many rounds had it.
    """

    median: float
    least: float
    most: float
    rounds: int


def spreads(rounds: Iterable[Figures]) -> dict[str, Spread]:
    """Each figure's spread, in the order in which figures first came up."""
    columns: dict[str, list[float]] = {}
    for figures in rounds:
        for name, figure in figures.items():
            if math.isfinite(figure):
                columns.setdefault(name, []).append(figure)
    return {name: _spread(column) for name, column in columns.items()}


def _spread(column: Sequence[float]) -> Spread:
    return Spread(
        median=statistics.median(column),
        least=min(column),
        most=max(column),
        rounds=len(column),
    )


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which *share* of *values* lie, by nearest rank; not a number for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


def ratio(above: float, below: float) -> float:
    """Of two figures of one round; not a number where the second one is missing."""
    return above / below if below else math.nan


def named(prefix: str, figures: Mapping[str, float]) -> Figures:
    """The same figures, each name behind *prefix*."""
    return {f"{prefix}.{name}": figure for name, figure in figures.items()}
