"""
Stats: the company in figures, counted over cards and summed in totals.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from clientela.domain.identity.details import Standing
from clientela.domain.ids import Code
from clientela.domain.insight.points import Points
from clientela.domain.insight.totals import COMPANY, Totals
from clientela.domain.insight.trade import Trade
from clientela.services.cards import (
    CARDS,
    ORPHANED,
    OWNED,
    SEVERAL,
    TOTALS,
    UNOWNED,
    stage_counts,
)
from clientela.services.read_models import ReadModels


@attrs.frozen(kw_only=True)
class Stats:
    """
    The company in figures. What is counted is read number by number, so that under writes two of
    them may be of two moments.

    Attributes:
        clients: Clients that are no prospects, erased ones included.

        prospects: Who has bought nothing yet.

        erased: Of both, those whose personal values were destroyed.

        owned: Of both, those with an owner who works here.

        unowned: Of both, those that nobody looks after.

        orphaned: Of both, those whose owner has left (OWN-3).

        several_purchases: Of both, those with two purchases or more.

        several_days: Of both, those with purchases on more than one calendar day.

        stages: Of both, how many are in each stage, by lifecycle model (LIFE-12).

        trade: Sums of purchases and returns.

        points: Sums of points.
    """

    clients: int
    prospects: int
    erased: int
    owned: int
    unowned: int
    orphaned: int
    several_purchases: int
    several_days: int
    stages: Mapping[Code, Mapping[Code, int]]
    trade: Trade
    points: Points


async def stats(reads: ReadModels) -> Stats:
    """The company in figures, from `CARDS` and `TOTALS`."""
    standing = await reads.count(CARDS, "standing")
    ownership = await reads.count(CARDS, "ownership")
    sums: Totals = await reads.get(TOTALS, COMPANY) or Totals()
    return Stats(
        clients=standing.get(Standing.CLIENT.value, 0),
        prospects=standing.get(Standing.PROSPECT.value, 0),
        erased=(await reads.count(CARDS, "erased")).get("yes", 0),
        owned=ownership.get(OWNED, 0),
        unowned=ownership.get(UNOWNED, 0),
        orphaned=ownership.get(ORPHANED, 0),
        several_purchases=(await reads.count(CARDS, "purchases")).get(SEVERAL, 0),
        several_days=(await reads.count(CARDS, "days")).get(SEVERAL, 0),
        stages=await stage_counts(reads),
        trade=sums.trade,
        points=sums.points,
    )
