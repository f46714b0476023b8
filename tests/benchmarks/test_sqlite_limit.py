"""
The bare limit of SQLite, round after round.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.sqlite_limit import sqlite_limit


def test_a_second_round_goes_on_in_the_same_file(tmp_path: Path) -> None:
    """A later round appends to what earlier ones left."""
    rates: list[float] = []
    for group in (1, 4):
        with sqlite_limit(tmp_path) as limit:
            rates.append(limit.append(0.01, group).rate)

    assert all(rate > 0 for rate in rates)
