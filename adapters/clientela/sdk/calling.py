"""
Calling: what happens to every call on its way out and back.

    request id, credentials, deadline -> try -> wait -> try ... -> answer, or a `CallError`

Every try of one call bears the same request id, so whichever of them took effect, it did so once
and all of them get its answer.
"""

from __future__ import annotations

import asyncio
import uuid

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import attrs
import grpc
import grpc.aio

from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message

from clientela.sdk.failures import CallError, failure, said_in
from clientela.sdk.retrying import RetryBudget, RetryPolicy, is_retriable
from clientela.v1.access_pb2 import access
from clientela.v1.history_pb2 import RecordHistoryRequest


CALL_SECONDS = 20.0
"""How long a call may take, all its tries included, unless its caller says otherwise."""

TRY_SECONDS = 5.0
"""How long one try may take, unless its share of the time of the call is more."""

REQUEST_ID = "request_id"

METHODS_MAX = 1_000
"""Rpcs of which it is remembered whether they only read."""

READING = ".read"
"""End of the permissions of calls that change nothing."""

Metadata = tuple[tuple[str, str], ...]

Credentials = Callable[[], Awaitable[Metadata]]
"""What a call shows: asked for at every try, so that it may be renewed meanwhile."""


async def anonymous() -> Metadata:
    """Nothing."""
    return ()


@attrs.frozen(kw_only=True)
class Calling(grpc.aio.UnaryUnaryClientInterceptor):
    """
    Carries out calls that have one answer.

    Attributes:
        credentials: What every try shows.

        policy: How calls are tried again.

        budget: Bounds the retries of all calls together.

        seconds: How long a call may take that says nothing else.

        try_seconds: How long one try may take, unless its share of the time of the call is more;
            a call that is not tried again has all of it.
    """

    credentials: Credentials = anonymous
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    budget: RetryBudget = attrs.field(factory=RetryBudget)
    seconds: float = CALL_SECONDS
    try_seconds: float = TRY_SECONDS

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """
        The call that succeeded.

        Raises:
            CallError: none did.
        """
        loop = asyncio.get_running_loop()
        timeout = client_call_details.timeout
        seconds = self.seconds if timeout is None else timeout
        ends_at = loop.time() + seconds
        request = _named(request)
        is_once = not _may_repeat(request, client_call_details.method)
        longest_s = seconds if is_once else max(self.try_seconds, seconds / self.policy.tries_max)
        self.budget.earn()
        for tries in range(1, self.policy.tries_max + 1):
            details = await self._shown(client_call_details, min(ends_at - loop.time(), longest_s))
            try:
                call = await continuation(details, request)
                await call
            except grpc.aio.AioRpcError as error:
                wait_s = self._wait_s(error, details, request, tries)
                if wait_s is None or loop.time() + wait_s >= ends_at:
                    raise _failure(error, request) from None
                await asyncio.sleep(wait_s)
            else:
                return call
        raise AssertionError  # pragma: no cover

    async def _shown(
        self, details: grpc.aio.ClientCallDetails, seconds: float
    ) -> grpc.aio.ClientCallDetails:
        shown = await self.credentials()
        return _with(details, shown, max(seconds, 0.0))

    def _wait_s(
        self,
        error: grpc.aio.AioRpcError,
        details: grpc.aio.ClientCallDetails,
        request: Message,
        tries: int,
    ) -> float | None:
        """Seconds to wait before the next try; None if there is to be none."""
        said = said_in(error)
        is_worth_it = is_retriable(error.code(), said.reason, said.wait_s)
        if not is_worth_it or tries >= self.policy.tries_max:
            return None
        if not _may_repeat(request, details.method) or not self.budget.spend():
            return None
        return self.policy.wait_s(tries, said.wait_s)


@attrs.frozen(kw_only=True)
class Streaming(grpc.aio.UnaryStreamClientInterceptor):
    """
    Shows credentials with calls that have many answers; such a call is not tried again.

    Attributes:
        credentials: What every call shows.
    """

    credentials: Credentials = anonymous

    async def intercept_unary_stream(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        """The call, begun."""
        shown = await self.credentials()
        details = _with(client_call_details, shown, client_call_details.timeout)
        return await continuation(details, request)


def _with(
    details: grpc.aio.ClientCallDetails, shown: Metadata, timeout: float | None
) -> grpc.aio.ClientCallDetails:
    return grpc.aio.ClientCallDetails(
        method=details.method,
        timeout=timeout,
        metadata=grpc.aio.Metadata(*(details.metadata or ()), *shown),
        credentials=details.credentials,
        wait_for_ready=details.wait_for_ready,
    )


def _named(request: Message) -> Message:
    """*request*, with an id of its own wherever it can have one and has none."""
    if all(map(_request_id, _attempts(request))):
        return request
    named = type(request)()
    named.CopyFrom(request)
    for attempt in _attempts(named):
        if not _request_id(attempt):
            setattr(attempt, REQUEST_ID, str(uuid.uuid4()))
    return named


def _attempts(request: Message) -> list[Message]:
    """What bears a request id: *request*, or the commands that it brings along, or nothing."""
    if isinstance(request, RecordHistoryRequest):
        named = ((command, command.WhichOneof("command")) for command in request.commands)
        return [getattr(command, name) for command, name in named if name is not None]
    return [request] if REQUEST_ID in request.DESCRIPTOR.fields_by_name else []


def _request_id(request: Message) -> str:
    return getattr(request, REQUEST_ID, "")


def _failure(error: grpc.aio.AioRpcError, request: Message) -> CallError:
    return failure(error, said_in(error), _request_id(request))


def _may_repeat(request: Message, path: str | bytes) -> bool:
    """Whether the same call may be made again: it takes effect once, or has none."""
    return bool(_attempts(request)) or _is_reading(path)


@lru_cache(maxsize=METHODS_MAX)
def _is_reading(path: str | bytes) -> bool:
    """Whether the rpc at *path* changes nothing, so that it may be called again as it is."""
    text = path.decode() if isinstance(path, bytes) else path
    try:
        method = Default().FindMethodByName(text.strip("/").replace("/", "."))
    except KeyError:
        return False
    return method.GetOptions().Extensions[access].permission.endswith(READING)
