"""
A service in a process of its own, to be killed and started again.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
import time

from pathlib import Path

import attrs
import grpc
import grpc.aio

from tests.system.wire import LIMITS, Wire


ROOT = Path(__file__).parents[2]

START_SECONDS_MAX = 60.0

COLD_EVERY = 5
"""Every so many kills the service is started from nothing; else a process stands by."""


@attrs.define
class Mortal:
    """
    A service of its own process that is killed and started again.

    Attributes:
        folder: Its data.

        store: Name of its kind of store in `tests.system.mortal`.

        wire: Calls it.

        is_up: Set while it listens.

        starts: Seconds from each kill to the first command answered by a process started after it.
    """

    folder: Path
    store: str
    wire: Wire | None = None
    is_up: asyncio.Event = attrs.field(factory=asyncio.Event)
    starts: list[float] = attrs.field(factory=list[float])
    _process: asyncio.subprocess.Process | None = None
    _next: asyncio.subprocess.Process | None = None
    _channel: grpc.aio.Channel | None = None
    _kills: int = 0
    _killed_at: float | None = None

    async def start(self) -> None:
        """Start, and wait until it listens."""
        if self._next is None:
            self._next = await self._made()
        self._process, self._next = self._next, None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"now\n")
        async with asyncio.timeout(START_SECONDS_MAX):
            target = (await self._process.stdout.readline()).decode().strip()
        assert target, "the service did not start"
        self._channel = grpc.aio.insecure_channel(target, options=LIMITS)
        self.wire = Wire(self._channel)
        self.is_up.set()
        if (self._kills + 1) % COLD_EVERY:
            self._next = await self._made()

    async def _made(self) -> asyncio.subprocess.Process:
        """A process that stands by."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.system.mortal"),
            *(str(self.folder), "--store", self.store),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    async def kill(self, number: signal.Signals) -> None:
        """End the process by this signal, whenever it takes effect; then start anew."""
        assert self._process is not None
        assert self._channel is not None
        self._process.send_signal(number)
        assert -signal.SIGKILL == await self._process.wait()
        self.is_up.clear()
        self._kills += 1
        self._killed_at = None if self._next else time.monotonic()
        await self._channel.close()
        await self.start()

    async def stop(self) -> None:
        """End it for good."""
        if self._channel is not None:
            await self._channel.close()
        for process in (self._process, self._next):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    def memory(self) -> int:
        """Bytes of memory that it holds."""
        assert self._process is not None
        pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()

    def answered(self) -> None:
        """Note that it answers again."""
        if self._killed_at is not None:
            self.starts.append(time.monotonic() - self._killed_at)
            self._killed_at = None
