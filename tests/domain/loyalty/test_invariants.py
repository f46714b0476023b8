"""
The ledger against the model on random lives of a wallet.

`CLIENTELA_SEQUENCES` says how many lives; the acceptance run uses 10,000.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.domain.loyalty.machine import LedgerMachine


SEQUENCES = int(os.environ.get("CLIENTELA_SEQUENCES", "300"))
STEPS = 20

TestInvariants = LedgerMachine.TestCase
TestInvariants.settings = settings(
    max_examples=SEQUENCES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
