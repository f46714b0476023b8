"""
A service killed under writers that never give up.
"""

from __future__ import annotations

import os

import pytest

from tests.system.amiss import amiss
from tests.system.kills import killed


KILLS = int(os.environ.get("CLIENTELA_KILLS", "5"))
TOLD_MIN = int(os.environ.get("CLIENTELA_KILLS_APART", "40"))

SABOTAGED_KILLS = 4
SABOTAGED_TOLD_MIN = 15

TRIES_MAX = 10
"""Services under sabotage: their kills may find only commands in flight that are safe to repeat."""


async def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(tmp_path):
    """
    G1, G4: killed at any moment, between a commit and its answer too, a service keeps every word.
    """
    load = await killed(tmp_path, KILLS, TOLD_MIN)

    assert len(load.told) >= KILLS * TOLD_MIN
    assert [] == await amiss(tmp_path, load.told)


@pytest.mark.parametrize(
    ("store", "expected"),
    [("torn", "was carried out 2 times"), ("hasty", "was acknowledged and its event is not there")],
)
async def test_the_check_sees_what_it_is_there_for(tmp_path, store, expected):
    """
    G1, G4: an answer that is written after the commit, or told before it, is found.
    """
    seen: list[str] = []
    for number in range(TRIES_MAX):
        folder = tmp_path / str(number)
        load = await killed(folder, SABOTAGED_KILLS, SABOTAGED_TOLD_MIN, store)
        seen = [problem for problem in await amiss(folder, load.told) if expected in problem]
        if seen:
            break

    assert seen
