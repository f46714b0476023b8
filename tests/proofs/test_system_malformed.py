"""
More than ten thousand malformed requests, at least two hundred of each rpc.
"""

from __future__ import annotations

import pytest

from tests.system.bombardment import GROWTH_MAX, bombarded
from tests.system.wire import METHODS


EACH = 200
"""Requests of each rpc."""

ALL_MIN = 10_000

SECONDS_MAX = 900
"""Four minutes at most where nothing else runs; then something hangs."""


@pytest.mark.timeout(SECONDS_MAX)
async def test_ten_thousand_requests_bring_out_no_fault_and_change_nothing(
    tmp_path, record_property
):
    """
    G18, R19: whatever is sent is answered or refused by name; state and memory stay as they were.
    """
    found = await bombarded(tmp_path, EACH)
    record_property("answers", dict(found.codes))
    record_property("bytes grown", found.growth)
    print(f"{dict(found.codes)}; grown by {found.growth / 2**20:.1f} MiB")  # noqa: T201

    assert [] == found.slips[:10]
    assert found.codes.total() >= max(ALL_MIN, EACH * len(METHODS))
    assert found.growth < GROWTH_MAX
