"""
A relay in a process of its own, over a store that holds the same events in every process.

    python -m tests.adapters.jetstream.relay_process URL EVENTS [--unfenced]

It says `sent` after every small batch and goes on when it is sent a line or has no parent to wait
for, so that its parent can stop or kill it in the middle, however busy the machine is.
"""

from __future__ import annotations

import asyncio
import sys

from clientela.adapters.jetstream.bus import JetStreamBus
from clientela.adapters.jetstream.connection import Broker
from clientela.adapters.jetstream.stream import StreamShape
from clientela.adapters.jetstream.tail import JetStreamTail
from clientela.adapters.memory_leases import MemoryLeases
from clientela.services import relay as relaying
from clientela.services.bus import BusError
from clientela.services.relay import Relay
from tests.services.streams import MESSAGES, filled


BATCH = 20
WINDOW_S = 0.1


class OpenTail(JetStreamTail):
    """Sabotage: says nothing of which message it takes for the last one."""

    fence = "Clientela-Nothing"


async def work(url: str, events: int, *, is_fenced: bool) -> None:
    """Send everything."""
    relaying.BATCH_MAX = BATCH
    bus = JetStreamBus(Broker(urls=(url,)), StreamShape(window_s=WINDOW_S))
    if not is_fenced:
        bus.tail = OpenTail
    relay = Relay(await filled(events), MemoryLeases(), bus, MESSAGES, "process")
    while True:
        try:
            sent = await relay.step()
        except BusError:
            await asyncio.sleep(0.01)
            continue
        if not sent:
            break
        print("sent", flush=True)  # noqa: T201  What the parent waits for.
        await asyncio.to_thread(sys.stdin.readline)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), is_fenced="--unfenced" not in sys.argv))
