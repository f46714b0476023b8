"""
Health: whether the service and each of its services serve; NOT_SERVING while the store is away.

An own servicer of `grpc.health.v1.Health`, because the packaged one loses other watchers of a
service when one leaves, and has no limit on them.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator, Iterable
from datetime import timedelta
from typing import Any, cast

from grpc_health.v1 import health_pb2_grpc  # type: ignore[import-untyped]
from grpc_health.v1.health_pb2 import (  # type: ignore[import-untyped]
    HealthCheckRequest,
    HealthCheckResponse,
)

from clientela.domain.errors import UnknownError
from clientela.services.ports import JournalStore
from clientela.services.refusals import OverloadedError
from clientela.services.store_errors import StoreError


PROBE_SECONDS = 2.0
"""Pause between two looks whether the store is there."""

PROBE_SECONDS_MAX = 2.0
"""A store that takes longer to answer is not there."""

WATCHERS_MAX = 64
"""Callers that watch at once."""

WATCH_RETRY = timedelta(seconds=30)


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """
    Tells whether services serve.

    Args:
        services: Their full names; the empty one, for all together, is added.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(("", *services))
        self._is_serving = True
        self._is_stopping = False
        self._watchers = 0
        self._changed = asyncio.Condition()

    @property
    def is_serving(self) -> bool:
        """Whether calls make sense now."""
        return self._is_serving and not self._is_stopping

    async def set_serving(self, *, is_serving: bool) -> None:
        """Note whether calls make sense."""
        self._is_serving = is_serving
        await self._tell()

    async def stop(self) -> None:
        """NOT_SERVING from now on, whatever comes; whoever watches is told and let go."""
        self._is_stopping = True
        await self._tell()

    async def probe(self, store: JournalStore) -> None:
        """Look whether *store* is there, again and again until cancelled."""
        while True:
            await self.set_serving(is_serving=await _is_there(store))
            await asyncio.sleep(PROBE_SECONDS)

    async def Check(  # noqa: N802 (gRPC names it)
        self,
        request: HealthCheckRequest,
        context: object,  # noqa: ARG002 (gRPC hands it over)
    ) -> HealthCheckResponse:
        """Whether the service named serves."""
        if request.service not in self._services:
            raise UnknownError("service", request.service)
        return self._response()

    async def Watch(  # noqa: N802 (gRPC names it)
        self,
        request: HealthCheckRequest,
        context: object,  # noqa: ARG002 (gRPC hands it over)
    ) -> AsyncGenerator[HealthCheckResponse]:
        """Whether the service named serves, now and at every change."""
        if request.service not in self._services:
            yield HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
            return
        if self._watchers >= WATCHERS_MAX:
            raise OverloadedError(WATCH_RETRY)
        self._watchers += 1
        try:
            while True:
                told = self.is_serving
                yield self._response()
                if self._is_stopping:
                    return
                async with self._changed:
                    await self._changed.wait_for(lambda: self._is_news(told))  # noqa: B023
        finally:
            self._watchers -= 1

    def _is_news(self, told: bool) -> bool:  # noqa: FBT001
        return self._is_stopping or told != self.is_serving

    def _response(self) -> HealthCheckResponse:
        serving, not_serving = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
        return HealthCheckResponse(status=serving if self.is_serving else not_serving)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def add_health(health: Health, server: Any) -> None:
    """Let *server* tell of *health*."""
    cast("Any", health_pb2_grpc).add_HealthServicer_to_server(health, server)


async def _is_there(store: JournalStore) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            await store.last_position()
    except (StoreError, TimeoutError):
        return False
    return True
