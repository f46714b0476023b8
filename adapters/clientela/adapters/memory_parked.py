"""
Parked messages in a dict: for trials and tests, gone with the process.
"""

from __future__ import annotations

import itertools

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from clientela.services.parked import ParkedMessage
from clientela.services.ports import PAGE_MAX


class MemoryParked:
    """Keeps messages in a dict."""

    def __init__(self) -> None:
        self._kept: dict[int, ParkedMessage] = {}
        self._numbers = itertools.count(1)

    async def park(self, message: ParkedMessage) -> bool:
        """Keep a message at the end of its lane."""
        name = (message.lane, message.mark)
        if any((kept.lane, kept.mark) == name for kept in self._kept.values()):
            return False
        number = next(self._numbers)
        self._kept[number] = attrs.evolve(message, number=number)
        return True

    async def lanes(self, among: Iterable[str]) -> frozenset[str]:
        """Lanes in which something is parked."""
        wanted = frozenset(itertools.islice(among, PAGE_MAX))
        return wanted.intersection(kept.lane for kept in self._kept.values())

    async def heads(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[ParkedMessage]:
        """The first message of every lane."""
        first: dict[str, ParkedMessage] = {}
        for kept in self._kept.values():
            first.setdefault(kept.lane, kept)
        found = (kept for kept in first.values() if kept.number > after)
        return list(itertools.islice(found, min(limit, PAGE_MAX)))

    async def page(
        self, after: int = 0, limit: int = PAGE_MAX, lane: str = ""
    ) -> Sequence[ParkedMessage]:
        """Messages of one lane or of all."""
        found = (
            kept for kept in self._kept.values() if kept.number > after and lane in {"", kept.lane}
        )
        return list(itertools.islice(found, min(limit, PAGE_MAX)))

    async def get(self, number: int) -> ParkedMessage | None:
        """One message."""
        return self._kept.get(number)

    async def tried(self, message: ParkedMessage) -> None:
        """Keep what came of another try."""
        if message.number in self._kept:
            self._kept[message.number] = message

    async def drop(self, number: int) -> bool:
        """Forget a message."""
        return self._kept.pop(number, None) is not None

    async def since(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[tuple[str, datetime]]:
        """Lanes with when their oldest message was parked."""
        oldest: dict[str, datetime] = {}
        for kept in self._kept.values():
            oldest[kept.lane] = min(kept.parked_at, oldest.get(kept.lane, kept.parked_at))
        found = sorted(each for each in oldest.items() if each[0] > after)
        return found[: min(limit, PAGE_MAX)]

    async def drop_lane(self, lane: str, before: datetime | None = None) -> int:
        """Forget a lane."""
        gone = [
            number
            for number, kept in self._kept.items()
            if kept.lane == lane and (before is None or kept.parked_at < before)
        ]
        for number in gone:
            del self._kept[number]
        return len(gone)

    async def count(self) -> int:
        """How many are parked."""
        return len(self._kept)
