"""
Totals: the sums of the company.

Only what is summed is kept here. How many clients there are of a kind is counted over cards, so
that each number has one home.
"""

from __future__ import annotations

import attrs

from clientela.domain.event import RecordedEvent
from clientela.domain.insight.points import Points
from clientela.domain.insight.trade import TRADED, Trade
from clientela.domain.loyalty.entries import entries


COMPANY = "company"
"""Key of the one row there is."""


@attrs.frozen(kw_only=True)
class Totals:
    """
    Sums over all clients and wallets, erased ones and wallets without a client included.

    Attributes:
        trade: Purchases and returns.

        points: Points.
    """

    trade: Trade = attrs.field(factory=Trade)
    points: Points = attrs.field(factory=Points)


def key_of(recorded: RecordedEvent) -> str | None:
    """The one row, for events that change a sum."""
    is_summed = isinstance(recorded.event, TRADED) or bool(entries(recorded.event))
    return COMPANY if is_summed else None


def evolve(totals: Totals | None, recorded: RecordedEvent) -> Totals:
    """*totals* after an event, which is of any journal."""
    totals = totals or Totals()
    return Totals(
        trade=totals.trade.after(recorded.event), points=totals.points.after(recorded.event)
    )
