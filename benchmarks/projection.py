"""
One projection in a process of its own: the SDK's subscriber into a SQLite file, and how far behind
it is.

    python -m benchmarks.projection URL FOLDER

It says that it is ready when it has nothing left to take, and at its end how old events were: when
they had come into the stream, and when the projection had them. An event's age begins when its
command was decided, so that waiting for the commit is part of it.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import nats

from nats.aio.msg import Msg

from benchmarks.processes import READY, RESULT, tell
from benchmarks.projections import handler, no_gap, positions
from benchmarks.rounds import percentile
from clientela.adapters.event_loop import run
from clientela.sdk.subscriber import FETCHED_MAX, Subscriber


CONSUMER = "projection"

TIME = "ce-time"
"""Header: when the event happened."""

FETCH_SECONDS = 0.5

AGES_MAX = 1_000_000
"""Events whose age is kept."""

MILLI = 1_000


class Ages:
    """How old events were, in milliseconds."""

    def __init__(self) -> None:
        self._streamed: list[float] = []
        self._projected: list[float] = []

    def note(self, messages: Sequence[Msg]) -> None:
        """These were taken just now."""
        now = datetime.now(UTC)
        for message in messages[: AGES_MAX - len(self._streamed)]:
            begun = datetime.fromisoformat((message.headers or {})[TIME])
            streamed = message.metadata.timestamp
            self._streamed.append((streamed - begun).total_seconds() * MILLI)
            self._projected.append((now - begun).total_seconds() * MILLI)

    def told(self) -> dict[str, float]:
        """What they come to."""
        found: dict[str, float] = {"events": len(self._streamed)}
        for name, ages in (("stream", self._streamed), ("projection", self._projected)):
            for share in (0.5, 0.99):
                found[f"until in the {name}, p{share * 100:.0f} ms"] = percentile(ages, share)
        return found


async def _main(url: str, folder: Path) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    connection = await nats.connect(url)
    kept = positions(folder / "projection.db", CONSUMER, 1)
    ages, is_ready = Ages(), False
    try:
        subscriber = Subscriber(connection.jetstream(), CONSUMER, kept, handler(1), no_gap)
        subscription = await subscriber.bound()
        while not stopping.is_set():
            try:
                messages = await subscription.fetch(FETCHED_MAX, FETCH_SECONDS)
            except TimeoutError:
                messages = []
            await subscriber.take(messages)
            if is_ready:
                ages.note(messages)
            elif not messages or not messages[-1].metadata.num_pending:
                is_ready = True
                tell(READY, {})
    finally:
        kept.close()
        await connection.close()
    tell(RESULT, ages.told())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    said = parser.parse_args()
    run(_main(said.url, said.folder))
