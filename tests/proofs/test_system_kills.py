"""
A hundred kills under sixteen writers.
"""

from __future__ import annotations

import statistics

import pytest

from tests.system.amiss import amiss
from tests.system.kills import killed


KILLS = 100
TOLD_MIN = 100
"""Commands acknowledged between kills."""

SECONDS_MAX = 900
"""Four minutes at most where nothing else runs; then something hangs."""


@pytest.mark.timeout(SECONDS_MAX)
async def test_a_hundred_kills_lose_nothing_and_do_nothing_twice(tmp_path, record_property):
    """
    G1, G4: every word is kept, whenever the service is killed, between commit and answer too.
    """
    load = await killed(tmp_path, KILLS, TOLD_MIN)
    starts = load.service.starts
    record_property("commands acknowledged", len(load.told))
    record_property("seconds to the first answer, median", statistics.median(starts))
    record_property("seconds to the first answer, p95", statistics.quantiles(starts, n=20)[-1])
    print(f"{len(load.told)} acknowledged; seconds to the first answer: {sorted(starts)}")  # noqa: T201

    assert len(load.told) >= KILLS * TOLD_MIN
    assert [] == await amiss(tmp_path, load.told)
