"""
Following the stream: what is in it from somewhere on, and whatever comes.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import attrs

from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from clientela.adapters.jetstream.connection import (
    ANSWER_S,
    Connects,
    let_go,
    translated,
    unsubscribed,
)
from clientela.adapters.jetstream.stream import STREAM
from clientela.services.bus import BusUnavailableError, BusUnsuitableError, Held


QUIET_S = 1.0
"""Seconds without a message after which it is looked whether any is still to come."""

RETRY_S = 1.0
"""Seconds until a broken connection is tried again."""


class NoStreamError(BusUnsuitableError):
    """The broker has no stream of events."""

    def __init__(self) -> None:
        super().__init__(f"the broker has no stream {STREAM}: no event has left yet")


@attrs.frozen(kw_only=True)
class Start:
    """
    From where on the stream is followed; from now on if nothing is said.

    Attributes:
        sequence: From this message on; None if that is not said.

        at: From what was sent at this moment on; None if that is not said.
    """

    sequence: int | None = None
    at: datetime | None = None

    def config(self) -> api.ConsumerConfig:
        """The same, as the broker takes it."""
        if self.sequence is not None:
            return api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self.sequence
            )
        if self.at is not None:
            return api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_TIME, opt_start_time=self.at
            )
        return api.ConsumerConfig(deliver_policy=api.DeliverPolicy.NEW)


async def followed(
    broker: Connects, subject: str, start: Start, *, is_endless: bool = True
) -> AsyncGenerator[Held]:
    """
    Messages of a subject, in order, each once; a connection that breaks is made anew.

    Args:
        broker: Where.

        subject: Which, wildcards allowed.

        start: From where on.

        is_endless: Whether to wait for more when everything is told.

    Raises:
        BusUnavailableError: the broker cannot be reached at the beginning.

        NoStreamError: it has no stream of events.
    """
    is_first = True
    while True:
        try:
            async for held in _followed(broker, subject, start, is_endless=is_endless):
                is_first, start = False, Start(sequence=held.sequence + 1)
                yield held
        except BusUnavailableError:
            if is_first or not is_endless:
                raise
            await asyncio.sleep(RETRY_S)
        else:
            return


async def _followed(
    broker: Connects, subject: str, start: Start, *, is_endless: bool
) -> AsyncGenerator[Held]:
    closed = asyncio.Event()

    async def broken() -> None:
        closed.set()

    client = await broker.connect(broken)
    try:
        with translated("the stream cannot be followed"):
            context: Any = JetStreamContext(client, timeout=ANSWER_S)
            try:
                reader = await context.subscribe(
                    subject, stream=STREAM, ordered_consumer=True, config=start.config()
                )
            except NotFoundError:
                raise NoStreamError from None
            try:
                while not closed.is_set():
                    message = await _next(reader)
                    if message is not None:
                        yield held_of(message)
                    if not is_endless and await _is_at_end(reader, message):
                        return
            finally:
                await unsubscribed(reader)
    finally:
        await let_go(client)
    raise BusUnavailableError("the connection to the broker broke")


async def _next(reader: Any) -> Msg | None:
    """The next message; None if none came for a while."""
    try:
        message: Msg = await reader.next_msg(timeout=QUIET_S)
    except TimeoutError:
        return None
    return message


async def _is_at_end(reader: Any, message: Msg | None) -> bool:
    if message is not None:
        return not message.metadata.num_pending
    info: api.ConsumerInfo = await reader.consumer_info()
    return not info.num_pending


def held_of(message: Msg) -> Held:
    """A message as the stream holds it."""
    return Held(
        sequence=message.metadata.sequence.stream,
        subject=message.subject,
        headers=message.headers or {},
        body=message.data,
    )
