"""
Health: whether the service and each of its services serve, told as it is.

    liveness        the process answers: served for as long as anybody can be told
    readiness, ""   calls make sense: the store is there and takes what is written, and the
                    service is not stopping
    a service       the same; one that only reads goes on while the disk is full
    a role          what this process does, such as the scheduler: the same as readiness; what it
                    does not do is not known here
    a part          something the service does without for a while, such as the bus: NOT_SERVING
                    says that it is away, and nothing else changes

An own servicer of `grpc.health.v1.Health`, because the packaged one loses other watchers of a
service when one leaves, and has no limit on them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import timedelta
from typing import Any, cast

from grpc_health.v1 import health_pb2_grpc  # type: ignore[import-untyped]
from grpc_health.v1.health_pb2 import (  # type: ignore[import-untyped]
    HealthCheckRequest,
    HealthCheckResponse,
)

from clientela.domain.errors import UnknownError
from clientela.services.logs import fields
from clientela.services.metrics import NO_METRICS, Level, Metrics
from clientela.services.ports import JournalStore
from clientela.services.refusals import OverloadedError


PROBE_SECONDS = 2.0
"""Pause between two looks whether the store is there."""

PAUSE_SECONDS_MIN = 0.1
"""Pause between two looks however many calls say that there is reason to."""

PROBE_SECONDS_MAX = 2.0
"""A store that takes longer to answer is not there."""

WATCHERS_MAX = 64
"""Callers that watch at once."""

WATCH_RETRY = timedelta(seconds=30)

LIVENESS = "liveness"
READINESS = "readiness"
BUS = "bus"
"""Names that are asked for beside those of services; the empty one means readiness too."""

PROBE = "health-probe"
"""Note that is written to learn whether the store takes anything."""

_LOG = logging.getLogger(__name__)


def always() -> bool:
    """Yes."""
    return True


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """
    Tells whether services serve.

    Args:
        services: Their full names; those for all together are added.

        reading: Those of them that write nothing.

        parts: What the service does without for a while.

        metrics: Learns of every change.

        roles: What the process does.
    """

    def __init__(
        self,
        services: Iterable[str],
        reading: Iterable[str] = (),
        parts: Iterable[str] = (BUS,),
        metrics: Metrics = NO_METRICS,
        roles: Iterable[str] = (),
    ) -> None:
        self._reading = frozenset(reading)
        self._parts = dict.fromkeys(parts, True)
        self._names = frozenset(("", LIVENESS, READINESS, *services, *self._parts, *roles))
        self._metrics = metrics
        self._is_there = True
        self._is_writable = True
        self._is_stopping = False
        self._watchers = 0
        self._changed = asyncio.Event()
        self._suspected = asyncio.Event()

    @property
    def is_serving(self) -> bool:
        """Whether calls make sense now."""
        return self._is_there and self._is_writable and not self._is_stopping

    @property
    def degraded(self) -> tuple[str, ...]:
        """Parts that are away; calls are served all the same."""
        return tuple(sorted(part for part, is_good in self._parts.items() if not is_good))

    def is_served(self, name: str) -> bool:
        """Whether the service or part of this name, which is known, serves."""
        if name == LIVENESS:
            return True
        if name in self._parts:
            return self._parts[name]
        if name in self._reading:
            return self._is_there and not self._is_stopping
        return self.is_serving

    def note(self, part: str, *, is_good: bool) -> None:
        """A part of the service is there, or away; what is said twice is heard once."""
        if self._parts[part] is is_good:
            return
        self._parts[part] = is_good
        _LOG.warning("a part is back" if is_good else "a part is away", extra=fields(part=part))
        self._tell()

    def suspect(self) -> None:
        """A call could not reach the store: look at once, and whether it takes anything."""
        self._suspected.set()

    async def set_serving(self, *, is_serving: bool, is_writable: bool = True) -> None:
        """Note whether the store is there, and whether it takes anything."""
        was = self.is_serving
        self._is_there, self._is_writable = is_serving, is_writable
        if was is not self.is_serving:
            _LOG.warning(
                "serving" if self.is_serving else "not serving",
                extra=fields(part="disk" if is_serving and not is_writable else "store"),
            )
        self._tell()

    async def stop(self) -> None:
        """NOT_SERVING from now on, whatever comes; whoever watches is told and let go."""
        self._is_stopping = True
        self._tell()

    async def probe(self, store: JournalStore, has_room: Callable[[], bool] = always) -> None:
        """
        Look how *store* is, again and again until cancelled.

        It is read every time, and written to only while there is reason to doubt that it can be.

        Args:
            store: Where everything is.

            has_room: Whether its disk has room; may block for a moment.
        """
        while True:
            is_suspected = self._suspected.is_set() or not self._is_writable
            self._suspected.clear()
            is_there = await _is_there(store)
            is_writable = is_there and await _has_room(has_room)
            if is_writable and is_suspected:
                is_writable = await _takes(store)
            await self.set_serving(is_serving=is_there, is_writable=is_writable or not is_there)
            await asyncio.sleep(PAUSE_SECONDS_MIN)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_SECONDS - PAUSE_SECONDS_MIN):
                    await self._suspected.wait()

    async def Check(  # noqa: N802 (gRPC names it)
        self,
        request: HealthCheckRequest,
        context: object,  # noqa: ARG002 (gRPC hands it over)
    ) -> HealthCheckResponse:
        """Whether the service named serves."""
        if request.service not in self._names:
            raise UnknownError("service", request.service)
        return self._response(request.service)

    async def Watch(  # noqa: N802 (gRPC names it)
        self,
        request: HealthCheckRequest,
        context: object,  # noqa: ARG002 (gRPC hands it over)
    ) -> AsyncGenerator[HealthCheckResponse]:
        """Whether the service named serves, now and at every change."""
        name = request.service
        if name not in self._names:
            yield HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
            return
        if self._watchers >= WATCHERS_MAX:
            raise OverloadedError(WATCH_RETRY)
        self._watchers += 1
        try:
            while True:
                told = self.is_served(name)
                yield self._response(name)
                while told is self.is_served(name):
                    if self._is_stopping:
                        return
                    await self._changed.wait()
        finally:
            self._watchers -= 1

    def _response(self, name: str) -> HealthCheckResponse:
        serving, not_serving = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
        return HealthCheckResponse(status=serving if self.is_served(name) else not_serving)

    def _tell(self) -> None:
        for name in (READINESS, *self._parts):
            self._metrics.level(Level.SERVING, float(self.is_served(name)), name)
        # Whoever waits has taken hold of this one; later changes have another.
        self._changed.set()
        self._changed = asyncio.Event()


def add_health(health: Health, server: Any) -> None:
    """Let *server* tell of *health*."""
    cast("Any", health_pb2_grpc).add_HealthServicer_to_server(health, server)


async def _is_there(store: JournalStore) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            await store.last_position()
    except Exception:  # noqa: BLE001  # whatever it is, calls would meet it too
        return False
    return True


async def _takes(store: JournalStore) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            await store.note(PROBE, "written")
    except Exception:  # noqa: BLE001  # as above
        return False
    return True


async def _has_room(has_room: Callable[[], bool]) -> bool:
    try:
        return await asyncio.to_thread(has_room)
    except Exception:  # noqa: BLE001  # as above: a folder that cannot be looked at takes nothing
        return False
