"""
Connections to a broker, and the stream that events leave in.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import nats.errors

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StorageType, StreamConfig


SECONDS_MAX = 90.0
POLL_SECONDS = 0.02


@asynccontextmanager
async def stream(url: str) -> AsyncIterator[JetStreamContext]:
    """A connection to the broker at *url* that outlives its restarts."""
    connection = await nats.connect(
        url, max_reconnect_attempts=-1, reconnect_time_wait=0, error_cb=_quiet
    )
    try:
        yield connection.jetstream()
    finally:
        await connection.close()


async def _quiet(_error: Exception) -> None:
    """Brokers are killed here on purpose."""


async def events_stream(js: JetStreamContext, name: str = "clientela") -> str:
    """The stream that events leave in, made; it forgets ids of messages at once."""
    await js.add_stream(
        StreamConfig(
            name=name,
            subjects=["clientela.v1.>"],
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            duplicate_window=0.1,
        )
    )
    return name


async def answering(js: JetStreamContext, name: str = "clientela") -> None:
    """Return as soon as a broker that was started anew serves a stream."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        try:
            await js.stream_info(name)
        except (nats.errors.Error, OSError):
            assert time.monotonic() < deadline, "the stream does not come back"
            await asyncio.sleep(POLL_SECONDS)
        else:
            return
