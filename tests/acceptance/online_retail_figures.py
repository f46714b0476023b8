"""
All figures of the Online Retail shop, none by the rules under test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.acceptance.online_retail import Slip, by_customer, ladder, presets
from tests.acceptance.online_retail_count import Count


MONTHS = 3
"""After which points are gone."""

SILENCE_DAYS = 180

VISITS = 2
"""Days with a purchase that make a regular."""


def counted(invoices: Sequence[Slip], end: datetime) -> Count:
    """The count at *end*; nobody spends points."""
    made = Count(months=MONTHS, plan={})
    for slip in invoices:
        made.take_in(slip, slip.at)
    for customer in {slip.customer for slip in invoices}:
        made.pass_time(customer, end)
    return made


def expected(invoices: Sequence[Slip], end: datetime) -> dict[str, Any]:
    """
    All figures at *end*.

    Args:
        invoices: By time.

        end: The moment.
    """
    own = by_customer(invoices)
    clm, efremova = zip(*(presets(each) for each in own.values()), strict=True)
    walked = (ladder(each, end, SILENCE_DAYS, VISITS)[-1][3] for each in own.values())
    purchases = {c: [s for s in slips if not s.is_return] for c, slips in own.items()}
    return {
        "clients": len(own),
        "unowned": len(own),
        **dict.fromkeys(("prospects", "erased", "owned", "orphaned"), 0),
        "several_purchases": sum(len(each) > 1 for each in purchases.values()),
        "several_days": sum(len({s.day for s in each}) > 1 for each in purchases.values()),
        "stages": {
            "clm": dict(Counter(clm)),
            "efremova": dict(Counter(efremova)),
            "ladder": dict(Counter(walked)),
        },
        "trade": _trade(invoices, counted(invoices, end)),
        "points": _points(counted(invoices, end)),
    }


def _trade(invoices: Sequence[Slip], count: Count) -> dict[str, Any]:
    sold = [row for slip in invoices if not slip.is_return for row in slip.rows]
    back = [row for slip in invoices if slip.is_return for row in slip.rows]
    waiting = [piece for pieces in count.waiting.values() for piece in pieces]
    still = Counter(piece["row"] for piece in waiting)
    missing = sum(pieces * row.pence // row.pieces for row, pieces in still.items())
    return {
        "purchases": sum(not slip.is_return for slip in invoices),
        "returns": sum(slip.is_return for slip in invoices),
        "pieces": sum(row.pieces for row in sold),
        "lines_matched": len(count.found),
        "lines_unmatched": len(still),
        "pieces_matched": sum(count.found.values()),
        "pieces_unmatched": len(waiting),
        "revenue": _pounds(sum(row.pence for row in sold)),
        "refunds": _pounds(sum(row.pence for row in back)),
        "refunds_unmatched": _pounds(missing),
    }


def _points(count: Count) -> dict[str, int]:
    none = ("granted", "withdrawn", "spent", "restored", "forgiven", "deducted")
    return {
        **dict.fromkeys(none, 0),
        "issued": count.totals["issued"],
        "expired": count.totals["expired"],
        "revoked": count.totals["revoked"] + count.totals["owed"],
        "outstanding": count.free(),
        "debt": sum(count.owed.values()),
    }


def _pounds(pence: int) -> dict[str, int]:
    return {"GBP": pence} if pence else {}
