"""
The ledger against the model on random lives of a wallet.

`CLIENTELA_SEQUENCES` says how many lives; the acceptance run uses 10,000.
"""

from __future__ import annotations

import os

import pytest

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.domain.loyalty.machine import PROGRAMMES, LedgerMachine


SEQUENCES = int(os.environ.get("CLIENTELA_SEQUENCES", "300"))
STEPS = 20


@pytest.mark.timeout(300 + SEQUENCES)
@pytest.mark.parametrize("terms", range(len(PROGRAMMES)))
def test_invariants_hold_on_random_lives_that_begin_under_each_programme(terms):
    """
    LOY-10: invariants 1 to 10, 12, 13, 16, 19, 20 hold at every step; the ledger is the model.
    """
    machine = type("Life", (LedgerMachine,), {"first_terms": terms})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, SEQUENCES // len(PROGRAMMES)),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
