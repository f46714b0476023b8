"""
The bus over a JetStream broker.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from clientela.adapters.jetstream.acks import Acks
from clientela.adapters.jetstream.connection import (
    ANSWER_S,
    Connects,
    let_go,
    translated,
    unsubscribed,
)
from clientela.adapters.jetstream.following import held_of
from clientela.adapters.jetstream.pace import Pace
from clientela.adapters.jetstream.stream import STREAM, StreamShape
from clientela.adapters.jetstream.tail import JetStreamTail
from clientela.services.bus import (
    READ_MAX,
    BusUnavailableError,
    BusUnsuitableError,
    Held,
)
from clientela.services.event_messages import EPOCH, POSITION
from clientela.services.partitions import SUBJECT


IDLE_S = 60.0
"""Seconds after which the broker forgets who read the stream and went away."""


class ForeignMessageError(BusUnsuitableError):
    """Somebody else writes to the stream."""

    def __init__(self) -> None:
        super().__init__(
            f"the last message of the stream {STREAM} is none of ours: let nobody else publish to "
            f"{SUBJECT}.>, then run `clientela stream rebuild`"
        )


class MessageMissingError(BusUnsuitableError):
    """The last message of the stream was deleted by hand."""

    def __init__(self) -> None:
        super().__init__(
            f"the last message of the stream {STREAM} was deleted: run `clientela stream rebuild`"
        )


class JetStreamBus:
    """
    Connects when it is needed, and again when the connection broke.

    Args:
        broker: Where.

        shape: How the stream is to be.
    """

    tail = JetStreamTail
    """What writes."""

    def __init__(self, broker: Connects, shape: StreamShape | None = None) -> None:
        self._broker = broker
        self._shape = shape or StreamShape()
        self._client: Client | None = None
        self._acks: Acks | None = None
        self._pace = Pace()
        self._connecting = asyncio.Lock()

    async def join(self) -> JetStreamTail:
        """The end of the stream as it is."""
        client = await self._connected()
        assert self._acks is not None
        with translated("the stream cannot be joined"):
            context = JetStreamContext(client, timeout=ANSWER_S)
            info = await self._shape.ensure(context, client.max_payload)
            position, epoch = 0, ""
            if info.state.messages:
                position, epoch = await _last(context, info.state.last_seq)
            return self.tail(
                client,
                STREAM,
                sequence=info.state.last_seq,
                position=position,
                epoch=epoch,
                acks=self._acks,
                pace=self._pace if info.config.allow_atomic else None,
            )

    async def clear(self) -> None:
        """Drop every message; the next one gets a higher sequence than any writer expects."""
        client = await self._connected()
        with translated("the stream cannot be emptied"):
            context = JetStreamContext(client, timeout=ANSWER_S)
            info = await self._shape.ensure(context, client.max_payload)
            last = info.state.last_seq
            await context.purge_stream(STREAM, seq=last + 2)
            state = (await context.stream_info(STREAM)).state
        if state.messages or state.last_seq <= last:
            raise BusUnavailableError("the stream could not be emptied: somebody writes to it")

    async def read(self, after: int = 0) -> AsyncGenerator[Held]:
        """Messages above a sequence, in order, up to the end as it is when the reading begins."""
        client = await self._connected()
        with translated("the stream cannot be read"):
            context = JetStreamContext(client, timeout=ANSWER_S)
            state = (await self._shape.ensure(context, client.max_payload)).state
            if not state.messages or state.last_seq <= after:
                return
            config = api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                ack_policy=api.AckPolicy.NONE,
                inactive_threshold=IDLE_S,
                mem_storage=True,
            )
            reader = await context.pull_subscribe(f"{SUBJECT}.>", stream=STREAM, config=config)
            try:
                is_more = True
                while is_more:
                    page = await _fetched(reader)
                    for message in page:
                        held = held_of(message)
                        if held.sequence <= state.last_seq:
                            yield held
                    if not page:
                        await _check_end(reader)
                        return
                    last = page[-1].metadata
                    is_more = bool(last.num_pending) and last.sequence.stream < state.last_seq
            finally:
                await unsubscribed(reader)

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            await let_go(client)

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is not None and self._client.is_closed:
                await self.close()
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> Client:
        opened: list[Acks] = []

        async def broken() -> None:
            for acks in opened:
                acks.break_off()

        client = await self._broker.connect(broken)
        try:
            with translated("the broker does not answer"):
                opened.append(await Acks.open(client))
        except BaseException:
            await let_go(client)
            raise
        [self._acks] = opened
        return client


async def _last(context: JetStreamContext, sequence: int) -> tuple[int, str]:
    """Position and epoch of the last event in the stream."""
    try:
        message: Any = await context.get_msg(STREAM, sequence)
    except NotFoundError:
        raise MessageMissingError from None
    headers: dict[str, str] = message.headers or {}
    if POSITION not in headers:
        raise ForeignMessageError
    return int(headers[POSITION]), headers.get(EPOCH, "")


async def _check_end(reader: JetStreamContext.PullSubscription) -> None:
    """Check that nothing came because there is nothing left."""
    info = await reader.consumer_info()
    if info.num_pending:
        raise BusUnavailableError("the stream does not answer")


async def _fetched(reader: JetStreamContext.PullSubscription) -> list[Msg]:
    """The next messages; none when none come."""
    try:
        return await reader.fetch(READ_MAX, timeout=ANSWER_S)
    except TimeoutError:
        return []
