"""
The guard: the one interceptor around every rpc. No UNKNOWN and no text of an exception leaves it.

It takes bytes in and gives bytes out, so that neither decoding nor encoding happens outside. Every
error is answered from the table of `error_codes`; what is not in it is a fault of the service and
is logged by type and place, because an exception's text may hold what somebody typed.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Any, TypeAlias

import attrs
import grpc
import grpc.aio

from google.protobuf.message import Message

from clientela.domain.errors import UnknownError
from clientela.services.access import AccessTable, MethodAccess
from clientela.services.admission import Admission
from clientela.services.arrival import Arrival, Context, arrival
from clientela.services.deadline import DeadlineRules
from clientela.services.entrance import Entrance
from clientela.services.error_codes import code_of, is_told, reason_of, status_of
from clientela.services.health import Health
from clientela.services.limits import decoded
from clientela.services.observer import HEALTH, Observer
from clientela.services.personal_fields import withhold
from clientela.services.ports import NewId
from clientela.services.refusals import DeadlineError
from clientela.services.request_context import RequestContext, enter
from clientela.services.seen import Seen, note_request
from clientela.services.store_errors import StoreUnavailableError


DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata in which a `google.rpc.Status` travels."""

# Generic for type checkers only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@attrs.frozen
class _Rpc:
    """One rpc as its servicer handles it, and what is said of it."""

    path: str
    handler: Handler
    access: MethodAccess | None

    @property
    def behaviour(self) -> Any:
        """The servicer's method."""
        of: Any = self.handler
        return of.unary_unary or of.unary_stream or of.stream_stream

    def decode(self, raw: bytes) -> Message:
        """The request, within all limits."""
        assert self.handler.request_deserializer is not None
        return decoded(self.handler.request_deserializer, raw)


class Guard(grpc.aio.ServerInterceptor):
    """
    Guards every rpc of a server.

    Args:
        table: What every rpc of ours says of access.

        entrance: Checks calls.

        admission: Lets them in.

        deadlines: How long they may take.

        observer: Tells of them.

        health: Learns that the store could not be reached.

        new_id: Makes references of faults.
    """

    def __init__(
        self,
        table: AccessTable,
        entrance: Entrance,
        *,
        admission: Admission,
        deadlines: DeadlineRules,
        observer: Observer,
        health: Health,
        new_id: NewId,
    ) -> None:
        self._table = table
        self._entrance = entrance
        self._admission = admission
        self._deadlines = deadlines
        self._observer = observer
        self._health = health
        self._new_id = new_id

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The handler of an rpc, guarded; None where this server has none."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        path = handler_call_details.method
        rpc = _Rpc(path, handler, self._table.of(path))
        if handler.request_streaming:
            # Reflection only: no service of ours takes a stream.
            return grpc.stream_stream_rpc_method_handler(self._conversation(rpc))
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(self._stream(rpc))
        return grpc.unary_unary_rpc_method_handler(self._unary(rpc))

    def _unary(self, rpc: _Rpc) -> Any:
        async def answer(raw: bytes, context: Context) -> bytes:
            call = arrival(raw, context)
            with self._observer.call(rpc.path, call.parent) as told:
                try:
                    if rpc.access is not None:
                        return await self._answered(rpc, rpc.access, call)
                    await self._identify(rpc, call)
                    response: Message = await rpc.behaviour(rpc.decode(raw), context)
                    return response.SerializeToString()
                except grpc.aio.AbortError:
                    raise
                except Exception as error:  # noqa: BLE001 (nothing may pass)
                    await self._refuse(error, rpc.path, told, context)
            raise AssertionError  # pragma: no cover

        return answer

    async def _answered(self, rpc: _Rpc, access: MethodAccess, call: Arrival) -> bytes:
        remaining = call.context.time_remaining()
        seconds = self._deadlines.seconds(remaining, access.call_class, access.method)
        async with _Within(seconds), self._admission.admitted(access.call_class):
            request_context, request = await self._entered(rpc, access, call, seconds)
            try:
                response: Message = await rpc.behaviour(request, call.context)
            except UnknownError as error:
                await self._entrance.note_missing(request_context, error)
                raise
            if not request_context.shows_personal:
                withhold(response)
            await self._entrance.note_shown(request_context, request, response)
            return response.SerializeToString()

    def _stream(self, rpc: _Rpc) -> Any:
        async def answers(raw: bytes, context: Context) -> AsyncGenerator[bytes]:
            call = arrival(raw, context)
            async with self._told(rpc.path, call) as told:
                told.is_stream = True
                if rpc.access is None:
                    await self._identify(rpc, call)
                    async with aclosing(rpc.behaviour(rpc.decode(raw), context)) as responses:
                        async for response in responses:
                            yield response.SerializeToString()
                else:
                    # Closed here and now, so that no room stays taken by a stream that broke.
                    async with aclosing(self._all_answered(rpc, rpc.access, call)) as encoded:
                        async for response in encoded:
                            yield response

        return answers

    async def _all_answered(
        self, rpc: _Rpc, access: MethodAccess, call: Arrival
    ) -> AsyncGenerator[bytes]:
        remaining = call.context.time_remaining()
        seconds = self._deadlines.seconds(remaining, access.call_class, access.method)
        async with self._admission.admitted(access.call_class):
            async with _Within(seconds):
                request_context, request = await self._entered(rpc, access, call, seconds)
            with self._entrance.rates.under_way(request_context.principal.actor, access):
                async with aclosing(rpc.behaviour(request, call.context)) as responses:
                    async for response in self._timed(responses, request_context, request):
                        yield response.SerializeToString()

    async def _timed(
        self, responses: AsyncGenerator[Message], context: RequestContext, request: Message
    ) -> AsyncGenerator[Message]:
        """Responses fit to leave; time runs while we work, not while the caller takes them."""
        is_first = True
        while True:
            async with _Within(context.deadline - self._entrance.monotonic()):
                response = await anext(responses, None)
                if response is None:
                    return
                if not context.shows_personal:
                    withhold(response)
                if is_first:
                    await self._entrance.note_shown(context, request, response)
            is_first = False
            yield response

    def _conversation(self, rpc: _Rpc) -> Any:
        async def answers(raws: AsyncIterator[bytes], context: Context) -> AsyncGenerator[bytes]:
            call = arrival(b"", context)
            async with self._told(rpc.path, call) as told:
                told.is_stream = True
                await self._identify(rpc, call)
                requests = (rpc.decode(raw) async for raw in raws)
                async for response in rpc.behaviour(requests, context):
                    yield response.SerializeToString()

        return answers

    async def _entered(
        self, rpc: _Rpc, access: MethodAccess, call: Arrival, seconds: float
    ) -> tuple[RequestContext, Message]:
        request_context = await self._entrance.context(access, call.credentials, seconds)
        request = rpc.decode(call.raw)
        note_request(request)
        await self._entrance.check_request(request_context, request)
        enter(request_context)
        return request_context, request

    async def _identify(self, rpc: _Rpc, call: Arrival) -> None:
        """Let a call of a service that is not ours in: health for all, others for principals."""
        if not rpc.path.startswith(HEALTH):
            method = rpc.path.strip("/").replace("/", ".")
            await self._entrance.identified(call.credentials, method)

    @asynccontextmanager
    async def _told(self, path: str, call: Arrival) -> AsyncGenerator[Seen]:
        with self._observer.call(path, call.parent) as told:
            try:
                yield told
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 (nothing may pass)
                await self._refuse(error, path, told, call.context)

    async def _refuse(self, error: Exception, path: str, told: Seen, context: Context) -> None:
        """Answer a call by an error; ends it."""
        reference = self._new_id()
        self._note(error, path, reference)
        status = status_of(error, reference)
        code = code_of(status)
        told.refused(code.name, reason_of(error))
        details = ((DETAILS_KEY, status.SerializeToString(deterministic=True)),)
        await context.abort(code, status.message, details)

    def _note(self, error: Exception, path: str, reference: str) -> None:
        if not is_told(error):
            self._observer.fault(error, path, reference)
        if isinstance(error, StoreUnavailableError):
            self._observer.store_failed(path)
            self._health.suspect()


class _Within:
    """Bounds a block; an own timeout of something inside stays what it is."""

    def __init__(self, seconds: float) -> None:
        self._limit = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise DeadlineError from None
