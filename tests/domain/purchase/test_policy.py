"""
Bounds of what a company may set about returns.
"""

from __future__ import annotations

import pytest

from clientela.domain.calendar import DAYS_MAX
from clientela.domain.purchase.policy import PurchasePolicy


@pytest.mark.parametrize("days", [None, 0, DAYS_MAX])
def test_lines_may_come_back_for_a_century_at_most_or_for_ever(days):
    """
    DEV-5: a term that a calendar can hold, or none.
    """
    assert days == PurchasePolicy(returnable_days=days).returnable_days


@pytest.mark.parametrize("days", [-1, DAYS_MAX + 1, 10**18])
def test_a_term_beyond_the_bounds_is_refused(days):
    """
    DEV-5: what no calendar can hold is refused where it is set, not where it is used.
    """
    with pytest.raises(ValueError, match="returnable_days"):
        PurchasePolicy(returnable_days=days)
