"""
A year and a half of a real shop, brought in by importers that are killed on the way.
"""

from __future__ import annotations

import pytest

from tests.acceptance.cdnow import sales, sample
from tests.acceptance.interruptions import amiss, killed


KILLS = 20

SECONDS_MAX = 3_600
"""Six minutes where nothing else runs; then something hangs."""


@pytest.mark.timeout(SECONDS_MAX)
def test_killed_twenty_times_it_is_as_if_nothing_had_happened(tmp_path, data):
    """
    Each of 20 parts of the sample is killed with -9 at a random row and resumed, the last one with
    two importers at work: every journal equals that of an undisturbed run.
    """
    calm, rough = killed(sample(data), sales(data), KILLS, tmp_path)

    assert [] == amiss(calm, rough)
