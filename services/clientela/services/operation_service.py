"""
Servicer of OperationService.
"""

from __future__ import annotations

import asyncio
import platform
import time

from collections.abc import AsyncIterator
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


TELL_S = 0.5
"""Seconds between two reports of how far a long work is."""


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
            parked_follow_ups=await core.follow_ups.parked(),
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
            problems=found.problems,
            journals=found.journals,
            events=found.events,
            parked=[str(journal_id) for journal_id in self._core.scheduler.parked],
            parked_follow_ups=await self._core.follow_ups.parked(),
        )

    async def RotateKeys(
        self, request: pb.RotateKeysRequest, context: Any
    ) -> pb.RotateKeysResponse:
        try:
            rewrapped = await self._keeper.rotate_keys(self._core.now())
        finally:
            self._core.path.records.cache.forget_keys()
        return pb.RotateKeysResponse(rewrapped=rewrapped)

    async def BackUp(self, request: pb.BackUpRequest, context: Any) -> pb.BackUpResponse:
        check_read(request)
        await self._keeper.back_up(Path(request.path))
        return pb.BackUpResponse(position=await self._core.store.last_position())

    async def CheckStream(
        self, request: pb.CheckStreamRequest, context: Any
    ) -> AsyncIterator[pb.CheckStreamResponse]:
        stream = self._core.stream
        told_at_s = time.monotonic()
        async for status in stream.check():
            if not status.is_complete and time.monotonic() - told_at_s < TELL_S:
                continue
            told_at_s = time.monotonic()
            yield pb.CheckStreamResponse(
                done=status.done,
                total=status.total,
                problems=status.problems,
                problem_count=status.count,
                waiting=status.waiting,
                complete=status.is_complete,
                trouble=stream.relay.trouble,
            )

    async def RebuildStream(
        self, request: pb.RebuildStreamRequest, context: Any
    ) -> AsyncIterator[pb.RebuildStreamResponse]:
        stream = self._core.stream
        async for status in stream.rebuild():
            yield pb.RebuildStreamResponse(
                done=status.done,
                total=status.total,
                complete=status.is_complete,
                trouble=stream.relay.trouble,
            )
            if not status.is_complete:
                await asyncio.sleep(TELL_S)
