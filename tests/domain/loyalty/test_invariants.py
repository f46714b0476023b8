"""
The ledger against the model on random lives of a wallet.

A few of them here, or as many as `CLIENTELA_SEQUENCES` says; the proofs live 10,000.
"""

from __future__ import annotations

import os

import pytest

from tests.domain.loyalty.machine import PROGRAMMES, live


SEQUENCES = int(os.environ.get("CLIENTELA_SEQUENCES", "300"))


@pytest.mark.timeout(300 + SEQUENCES)
@pytest.mark.parametrize("terms", range(len(PROGRAMMES)))
def test_invariants_hold_on_random_lives_that_begin_under_each_programme(terms):
    """
    LOY-10: invariants 1 to 10, 12, 13, 16, 19, 20 hold at every step; the ledger is the model.
    """
    live(terms, SEQUENCES // len(PROGRAMMES))
