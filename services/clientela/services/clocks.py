"""
Clocks: real time, and virtual time for trials and the import of old history.
"""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """
    A clock that stands still until it is moved; it never goes back.

    Args:
        now: Where it stands at first, aware.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Where the clock stands."""
        return self._now

    def move(self, to: datetime) -> None:
        """Move it to *to*, if that is later."""
        self._now = max(self._now, to)
