"""
The bare limit of JetStream: the very messages that events leave as, without Clientela.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any

import attrs
import nats

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api

from benchmarks.rounds import MICROSECONDS, percentile
from clientela.services.event_messages import MESSAGE_ID, Message


STREAM = "BARE"
"""Name of the stream, and what its subjects begin with."""

WINDOW = 500
"""Messages under way at once; the next ones only after all of them are in."""

FETCHED = 256
"""Messages fetched at once."""

ANSWER_SECONDS = 60.0
"""How long an answer may take."""

PENDING_MAX = 5_000
"""Messages that a consumer may have under way."""


@attrs.frozen(kw_only=True)
class Passed:
    """
    What passing messages took.

    Attributes:
        rate: Messages a second.

        cpu: Microseconds of CPU of this process for one.

        p50: Microseconds that half of them took at most, where they went one at a time.
    """

    rate: float
    cpu: float
    p50: float = 0.0


class Stopwatch:
    """Time and CPU from now on."""

    def __init__(self) -> None:
        self._cpu, self._begin = time.process_time(), time.perf_counter()

    def passed(self, count: int, p50: float = 0.0) -> Passed:
        """What *count* messages took since then."""
        lasted, spent = time.perf_counter() - self._begin, time.process_time() - self._cpu
        return Passed(rate=count / lasted, cpu=spent / count * MICROSECONDS, p50=p50)


class StreamLimit:
    """
    A stream of its own; made by `stream_limit`.

    Args:
        client: Connected.
    """

    def __init__(self, client: Client) -> None:
        untyped: Any = client
        self._client = client
        self._stream: JetStreamContext = untyped.jetstream(timeout=ANSWER_SECONDS)
        self._inbox = client.new_inbox()
        self._left = 0
        self._arrived = asyncio.Event()

    async def open(self) -> None:
        """Make the stream."""
        untyped: Any = self._stream
        config = api.StreamConfig(
            name=STREAM, subjects=[f"{STREAM}.>"], storage=api.StorageType.FILE
        )
        await untyped.add_stream(config)
        untyped = self._client
        await untyped.subscribe(f"{self._inbox}.*", cb=self._take)

    async def windowed(self, messages: Sequence[Message]) -> Passed:
        """Publish them all, `WINDOW` at a time."""
        await self._stream.purge_stream(STREAM)
        mark = time.monotonic_ns()
        watch = Stopwatch()
        for begin in range(0, len(messages), WINDOW):
            window = messages[begin : begin + WINDOW]
            self._left = len(window)
            self._arrived.clear()
            for number, message in enumerate(window):
                await self._client.publish(
                    f"{STREAM}.{message.subject}",
                    message.body,
                    reply=f"{self._inbox}.{number}",
                    headers={**message.headers, MESSAGE_ID: f"{mark}-{begin + number}"},
                )
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._arrived.wait()
        return watch.passed(len(messages))

    async def one_by_one(self, messages: Sequence[Message], seconds: float) -> Passed:
        """Publish one after the other for *seconds*, each awaited."""
        took: list[float] = []
        mark = time.monotonic_ns()
        watch, begin = Stopwatch(), time.perf_counter()
        for message in cycle(messages):
            start = time.perf_counter()
            if start > begin + seconds:
                break
            await self._stream.publish(
                f"{STREAM}.{message.subject}",
                message.body,
                headers={**message.headers, MESSAGE_ID: f"{mark}-{len(took)}"},
            )
            took.append(time.perf_counter() - start)
        return watch.passed(len(took), percentile(took, 0.5) * MICROSECONDS)

    async def fetched(self, stream: str) -> Passed:
        """Fetch everything of *stream* and do nothing with it; a fetch is acknowledged at once."""
        untyped: Any = self._stream
        name = f"bare-{time.monotonic_ns()}"
        config = api.ConsumerConfig(
            durable_name=name, ack_policy=api.AckPolicy.ALL, max_ack_pending=PENDING_MAX
        )
        await untyped.add_consumer(stream, config)
        subscription = await self._stream.pull_subscribe_bind(durable=name, stream=stream)
        wanted = (await self._stream.stream_info(stream)).state.messages
        watch, count = Stopwatch(), 0
        while count < wanted:
            messages = await subscription.fetch(FETCHED, ANSWER_SECONDS)
            await messages[-1].ack()
            count += len(messages)
        passed = watch.passed(count)
        await self._stream.delete_consumer(stream, name)
        return passed

    async def _take(self, message: Msg) -> None:
        if b'"error"' in message.data:
            raise AssertionError(message.data)
        self._left -= 1
        if not self._left:
            self._arrived.set()


@asynccontextmanager
async def stream_limit(url: str) -> AsyncGenerator[StreamLimit]:
    """A bare stream of the broker at *url*, from here to the end of the block."""
    client = await nats.connect(url)
    try:
        limit = StreamLimit(client)
        await limit.open()
        yield limit
    finally:
        await client.close()
