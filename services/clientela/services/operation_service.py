"""
Servicer of OperationService.
"""

from __future__ import annotations

import platform

from importlib.metadata import version
from pathlib import Path
from typing import Any

from clientela.services.clocks import VirtualClock
from clientela.services.core import Core
from clientela.services.operations import Keeper, advance, verify
from clientela.services.read_models import ReadModel
from clientela.services.translate.fields import moment
from clientela.services.translate.messages import timestamp
from clientela.services.translate.reads import check_read
from clientela.v1 import operation_pb2 as pb
from clientela.v1 import operation_pb2_grpc


class OperationServicer(operation_pb2_grpc.OperationServiceServicer):
    """
    Runs the service for operators.

    Args:
        core: What servicers work with.

        keeper: Keeps files and keys.

        models: Read models to be checked.
    """

    def __init__(self, core: Core, keeper: Keeper, models: tuple[ReadModel, ...]) -> None:
        self._core = core
        self._keeper = keeper
        self._models = models

    async def GetStatus(self, request: pb.GetStatusRequest, context: Any) -> pb.Status:
        core = self._core
        return pb.Status(
            version=version("clientela"),
            python=platform.python_version(),
            position=await core.store.last_position(),
            now=timestamp(core.now()),
            virtual=isinstance(core.clock, VirtualClock),
            epoch=await core.store.note("epoch") or "",
            parked=[str(journal_id) for journal_id in core.scheduler.parked],
            due=len(await core.store.due(core.now())),
            data_dir=str(self._keeper.data_dir),
        )

    async def AdvanceClock(
        self, request: pb.AdvanceClockRequest, context: Any
    ) -> pb.AdvanceClockResponse:
        check_read(request)
        moved = await advance(self._core, moment(request.to))
        return pb.AdvanceClockResponse(now=timestamp(self._core.now()), moved=moved)

    async def Verify(self, request: pb.VerifyRequest, context: Any) -> pb.VerifyResponse:
        found = await verify(self._core, self._models, self._keeper)
        return pb.VerifyResponse(
            problems=found.problems, journals=found.journals, events=found.events
        )

    async def RotateKeys(
        self, request: pb.RotateKeysRequest, context: Any
    ) -> pb.RotateKeysResponse:
        rewrapped = await self._keeper.rotate_keys(self._core.now())
        return pb.RotateKeysResponse(rewrapped=rewrapped)

    async def BackUp(self, request: pb.BackUpRequest, context: Any) -> pb.BackUpResponse:
        check_read(request)
        await self._keeper.back_up(Path(request.path))
        return pb.BackUpResponse(position=await self._core.store.last_position())
