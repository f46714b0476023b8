"""
Servicer of InteractionService.
"""

from __future__ import annotations

from typing import Any

from clientela.domain.interaction.rules import INTERACTION
from clientela.services.core import Core
from clientela.services.translate import interaction as wire
from clientela.v1 import interaction_pb2 as pb
from clientela.v1 import interaction_pb2_grpc


class InteractionServicer(interaction_pb2_grpc.InteractionServiceServicer):
    """
    Translates between the wire and the rules of interactions.

    Args:
        core: What servicers work with.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def RecordInteraction(
        self, request: pb.RecordInteractionRequest, context: Any
    ) -> pb.RecordInteractionResponse:
        command = wire.record_interaction(request)
        _, outcome = await self._core.mutate(request, command, INTERACTION)
        return pb.RecordInteractionResponse(outcome=outcome)

    async def RecordConflict(
        self, request: pb.RecordConflictRequest, context: Any
    ) -> pb.RecordConflictResponse:
        command = wire.record_conflict(request)
        _, outcome = await self._core.mutate(request, command, INTERACTION)
        return pb.RecordConflictResponse(outcome=outcome)

    async def ResolveConflict(
        self, request: pb.ResolveConflictRequest, context: Any
    ) -> pb.ResolveConflictResponse:
        command = wire.resolve_conflict(request)
        _, outcome = await self._core.mutate(request, command, INTERACTION)
        return pb.ResolveConflictResponse(outcome=outcome)

    async def RecordDeparture(
        self, request: pb.RecordDepartureRequest, context: Any
    ) -> pb.RecordDepartureResponse:
        command = wire.record_departure(request)
        _, outcome = await self._core.mutate(request, command, INTERACTION)
        return pb.RecordDepartureResponse(outcome=outcome)

    async def RecordSignal(
        self, request: pb.RecordSignalRequest, context: Any
    ) -> pb.RecordSignalResponse:
        command = wire.record_signal(request)
        _, outcome = await self._core.mutate(request, command, INTERACTION)
        return pb.RecordSignalResponse(outcome=outcome)
