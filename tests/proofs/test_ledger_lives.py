"""
Ten thousand random lives of a wallet.
"""

from __future__ import annotations

import pytest

from tests.domain.loyalty.machine import PROGRAMMES, live


LIVES = 10_000

SECONDS_MAX = 1_800
"""Five minutes for all where nothing else runs; then something hangs."""


@pytest.mark.timeout(SECONDS_MAX)
@pytest.mark.parametrize("terms", range(len(PROGRAMMES)))
def test_invariants_hold_on_ten_thousand_random_lives(terms):
    """
    LOY-10: invariants 1 to 10, 12, 13, 16, 19, 20 hold at every step; the ledger is the model.
    """
    live(terms, LIVES // len(PROGRAMMES))
