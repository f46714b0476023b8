"""
Bounds of what a company may set about ownership.
"""

from __future__ import annotations

import pytest

from clientela.domain.calendar import DAYS_MAX
from clientela.domain.ownership.policy import OwnershipPolicy


@pytest.mark.parametrize("days", [None, 1, DAYS_MAX])
def test_ownership_lapses_after_a_century_at_most_or_never(days):
    """
    OWN-1: a term that a calendar can hold, or none.
    """
    assert days == OwnershipPolicy(lapses_after_days=days).lapses_after_days


@pytest.mark.parametrize("days", [0, DAYS_MAX + 1, 10**18])
def test_a_term_beyond_the_bounds_is_refused(days):
    """
    OWN-1: what no calendar can hold is refused where it is set, not where it is used.
    """
    with pytest.raises(ValueError, match="lapses_after_days"):
        OwnershipPolicy(lapses_after_days=days)
