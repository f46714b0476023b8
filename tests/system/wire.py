"""
The service as its callers have it: any rpc by its name, over a real socket.
"""

from __future__ import annotations

import asyncio
import itertools

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import grpc
import grpc.aio
import pytest

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from clientela.adapters.bootstrap import Running, serving
from clientela.adapters.settings import Settings
from tests.protos.wire import methods
from tests.services.edge import TILL, Refusal, refusal_of


METHODS: Mapping[str, MethodDescriptor] = methods()
"""Every rpc by its name, which is unique in the package."""

SECONDS = 60.0
"""For one call."""

LONG = {"AdvanceClock", "BackUp", "RotateKeys", "Verify"}
"""Rpcs that work on everything kept."""

LONG_SECONDS = 600.0
"""For one call of them, or for a stream."""

ALONE = (("grpc.use_local_subchannel_pool", 1),)
"""Options of a channel that shares no connection with another one."""

LIMITS = (*ALONE, ("grpc.max_send_message_length", -1), ("grpc.max_metadata_size", 64 * 1024))
"""Options of a channel that takes and sends whatever there is."""

Caller = Mapping[str, str]
"""Metadata of a call."""


def path_of(method: str) -> str:
    """Name of an rpc as the transport has it."""
    service, _, name = METHODS[method].full_name.rpartition(".")
    return f"/{service}/{name}"


def request_of(method: str, **fields: Any) -> Message:
    """A request of the rpc of this name."""
    return GetMessageClass(METHODS[method].input_type)(**fields)


def answer_of(method: str, raw: bytes) -> Any:
    """An answer of the rpc of this name."""
    return GetMessageClass(METHODS[method].output_type).FromString(raw)


def is_mutation(method: str) -> bool:
    """Whether the rpc of this name takes a request id."""
    return "request_id" in METHODS[method].input_type.fields_by_name


@attrs.define
class Wire:
    """
    Calls a service.

    Attributes:
        channel: Connected to it.

        caller: Who calls, unless said otherwise.

        seconds: For one call, unless it works on everything kept.

        done: Names of rpcs that were answered.
    """

    channel: grpc.aio.Channel
    caller: Caller = attrs.field(factory=lambda: TILL)
    seconds: float = SECONDS
    done: set[str] = attrs.field(factory=set[str])
    _numbers: Any = attrs.field(factory=lambda: itertools.count(1))

    def acting(self, caller: Caller) -> Wire:
        """The same for somebody else."""
        return attrs.evolve(self, caller=caller)

    async def call(self, method: str, /, **fields: Any) -> Any:
        """The answer of an rpc; a mutation gets a request id if none is said."""
        return await self.send(method, self.request(method, **fields))

    def request(self, method: str, /, **fields: Any) -> Message:
        """A request; a mutation gets a request id if none is said."""
        if is_mutation(method):
            fields.setdefault("request_id", f"r-{next(self._numbers)}")
        return request_of(method, **fields)

    async def send(self, method: str, request: Message | bytes) -> Any:
        """The answer to *request*."""
        answer = answer_of(method, await self.raw(method, request))
        self.done.add(method)
        return answer

    async def raw(self, method: str, request: Message | bytes) -> bytes:
        """The answer to *request*, as bytes."""
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        calling: Any = self.channel.unary_unary(path_of(method))
        metadata = tuple(self.caller.items())
        seconds = LONG_SECONDS if method in LONG else self.seconds
        answer: bytes = await calling(raw, timeout=seconds, metadata=metadata)
        return answer

    async def stream(self, method: str, /, **fields: Any) -> list[Any]:
        """All messages of a stream."""
        return await self.streamed(method, request_of(method, **fields))

    async def first(self, method: str, /, **fields: Any) -> Any:
        """The first message of a stream."""
        [answer] = await self.streamed(method, request_of(method, **fields), 1)
        return answer

    async def streamed(
        self, method: str, request: Message | bytes, most: int | None = None
    ) -> list[Any]:
        """All answers to *request*, or the first *most* of them."""
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        calling: Any = self.channel.unary_stream(path_of(method))
        call = calling(raw, timeout=LONG_SECONDS, metadata=tuple(self.caller.items()))
        found: list[Any] = []
        async for answer in call:
            found.append(answer_of(method, answer))
            if most is not None and len(found) == most:
                call.cancel()
                break
        self.done.add(method)
        return found

    async def refused(self, method: str, /, **fields: Any) -> Refusal:
        """What an rpc is refused with."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.asked(method, self.request(method, **fields))
        return refusal_of(caught.value)

    async def denied(self, method: str, /, **fields: Any) -> Refusal:
        """What an rpc is refused with, once it is not for coming too often."""
        request = self.request(method, **fields)
        while True:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.asked(method, request)
            refusal = refusal_of(caught.value)
            if refusal.code != "RESOURCE_EXHAUSTED":
                return refusal
            await asyncio.sleep(refusal.retry_seconds or 0)

    async def asked(self, method: str, request: Message | bytes) -> Any:
        """The answer or answers to *request*, as the rpc has it."""
        if METHODS[method].server_streaming:
            return await self.streamed(method, request)
        return await self.raw(method, request)

    async def pages(self, method: str, items: str, /, **fields: Any) -> list[Any]:
        """All items of a list, read page by page with one item each."""
        found: list[Any] = []
        token = ""
        while True:
            page = await self.call(method, page_size=1, page_token=token, **fields)
            shown = getattr(page, items)
            assert len(shown) <= 1
            found.extend(shown)
            token = page.next_page_token
            if not token:
                return found


@attrs.frozen
class Service:
    """
    A running service and who calls it.

    Attributes:
        running: The service.

        wire: Calls it as a till.

        folder: Its data.
    """

    running: Running
    wire: Wire
    folder: Path

    async def audited(self) -> list[tuple[str, str, str, str, str]]:
        """Every audit row, without its time: actor, method, target, decision, reason."""
        found: list[tuple[str, str, str, str, str]] = []
        after = 0
        while rows := await self.running.core.store.audit(after):
            after = rows[-1][0]
            found.extend((r.actor, r.method, r.target, r.decision, r.reason) for _, r in rows)
        return found


@asynccontextmanager
async def served(folder: Path, **settings: Any) -> AsyncIterator[Service]:
    """A service on a free port of this machine, with its data in *folder*."""
    async with (
        serving(Settings(data_dir=folder, port=0, **settings)) as running,
        grpc.aio.insecure_channel(running.target, options=LIMITS) as channel,
    ):
        yield Service(running, Wire(channel), folder)
