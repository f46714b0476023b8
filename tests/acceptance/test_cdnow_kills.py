"""
A part of a real shop's sales, brought in by importers that are killed on the way.

`tests/proofs` does the same with all of them and twenty kills.
"""

from __future__ import annotations

from tests.acceptance.cdnow import sales, sample
from tests.acceptance.interruptions import amiss, killed
from tests.e2e.journals import journals


KILLS = 6

EVERY = 12
"""Of so many customers one is brought in, with all sales."""


def test_killed_again_and_again_it_is_as_if_nothing_had_happened(tmp_path, data):
    """
    Each of six parts is killed with -9 at a random row and resumed, the last one with two importers
    at work: every journal equals that of an undisturbed run.
    """
    found = sales(data)
    customers = set(list(dict.fromkeys(sale.customer for sale in found))[::EVERY])
    some = [sale for sale in found if sale.customer in customers]

    calm, rough = killed(sample(data), some, KILLS, tmp_path)

    assert [] == amiss(calm, rough)
    purchases = [each for each in journals(rough.folder) if "purchase-recorded" in str(each[3])]
    assert len(some) == len(purchases)
