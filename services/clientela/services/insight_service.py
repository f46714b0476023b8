"""
Servicer of InsightService.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from google.type.money_pb2 import Money as WireMoney

from clientela.services.core import Core
from clientela.services.stats import stats
from clientela.services.translate.messages import money_sum
from clientela.v1 import insight_pb2 as pb
from clientela.v1 import insight_pb2_grpc


class InsightServicer(insight_pb2_grpc.InsightServiceServicer):
    """
    Tells figures.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def GetStats(self, request: pb.GetStatsRequest, context: Any) -> pb.Stats:
        found = await stats(self._core.reads)
        trade = found.trade
        return pb.Stats(
            clients=found.clients,
            prospects=found.prospects,
            erased=found.erased,
            owned=found.owned,
            unowned=found.unowned,
            orphaned=found.orphaned,
            several_purchases=found.several_purchases,
            several_days=found.several_days,
            stages=[
                pb.Stats.Stage(model=model, stage=stage, clients=clients)
                for model, stages in found.stages.items()
                for stage, clients in stages.items()
            ],
            trade=pb.Stats.Trade(
                purchases=trade.purchases,
                pieces=trade.pieces,
                revenue=_amounts(trade.revenue),
                returns=trade.returns,
                lines_matched=trade.lines_matched,
                lines_unmatched=trade.lines_unmatched,
                pieces_matched=trade.pieces_matched,
                pieces_unmatched=trade.pieces_unmatched,
                refunds=_amounts(trade.refunds),
                refunds_unmatched=_amounts(trade.refunds_unmatched),
            ),
            points=pb.Stats.Points(**attrs.asdict(found.points)),
        )


def _amounts(sums: Mapping[str, int]) -> list[WireMoney]:
    return [money_sum(minor, currency) for currency, minor in sorted(sums.items())]
