"""
A bus in memory that can be disturbed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from clientela.services.bus import BusUnavailableError, FencedError, Held
from clientela.services.event_messages import EPOCH, POSITION, Message


class MemoryTail:
    """The end of a stream in memory."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._sequence = bus.sequence
        last = bus.held[-1].headers if bus.held else {}
        self.position = int(last.get(POSITION, 0))
        self.epoch = last.get(EPOCH, "")

    async def publish(self, messages: Sequence[Message]) -> None:
        """Write messages after this end."""
        await self._bus.happen()
        for message in messages:
            if self._bus.is_fenced and self._bus.sequence != self._sequence:
                raise FencedError
            self._bus.sequence += 1
            self._sequence = self._bus.sequence
            self._bus.held.append(
                Held(
                    sequence=self._sequence,
                    subject=message.subject,
                    headers=message.headers,
                    body=message.body,
                )
            )
            self.position = message.position
        await self._bus.happen_after()

    async def check(self) -> None:
        """Check that the stream still ends here."""
        if self._bus.sequence != self._sequence:
            raise FencedError


class MemoryBus:
    """
    A stream in memory.

    Attributes:
        held: Its messages.

        sequence: Of the last message there ever was.

        before: What happens before the next batches, one each.

        after: What happens after the next batches are in and before anybody is told, one each.

        is_fenced: Whether a writer that has not seen the end is refused; False is sabotage.
    """

    def __init__(self, *, is_fenced: bool = True) -> None:
        self.held: list[Held] = []
        self.sequence = 0
        self.before: deque[Callable[[], Awaitable[object]]] = deque()
        self.after: deque[Callable[[], Awaitable[object]]] = deque()
        self.is_fenced = is_fenced
        self.is_down = False
        self.joined = 0

    async def join(self) -> MemoryTail:
        """The end of the stream."""
        if self.is_down:
            raise BusUnavailableError
        self.joined += 1
        return MemoryTail(self)

    async def clear(self) -> None:
        """Drop every message."""
        self.held.clear()
        self.sequence += 1

    async def read(self, after: int = 0) -> AsyncIterator[Held]:
        """Messages above a sequence."""
        for held in [held for held in self.held if held.sequence > after]:
            yield held

    async def close(self) -> None:
        """Nothing to let go of."""

    async def happen(self) -> None:
        """Let the next thing before a batch happen."""
        if self.is_down:
            raise BusUnavailableError
        if self.before:
            await self.before.popleft()()

    async def happen_after(self) -> None:
        """Let the next thing after a batch happen."""
        if self.after:
            await self.after.popleft()()
