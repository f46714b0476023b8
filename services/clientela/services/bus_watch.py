"""
Watching the bus: whether events leave, as health tells it.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from clientela.services.background import keep_going
from clientela.services.health import BUS, Health


PAUSE_S = 1.0
"""Seconds between two looks."""


class Leaving(Protocol):
    """What events leave by."""

    @property
    def trouble(self) -> str:
        """Why nothing leaves at the moment; empty when all is well."""
        ...

    @property
    def position(self) -> int | None:
        """Position of the last event that has left; None if another process sees to that."""
        ...


@attrs.frozen
class BusWatch:
    """
    Tells health whether events leave.

    Attributes:
        leaving: What they leave by.

        health: Learns of it; commands are served either way.
    """

    leaving: Leaving
    health: Health

    async def run(self) -> None:
        """Keep going until cancelled."""
        await keep_going("watching the bus", self.step, PAUSE_S)

    async def step(self) -> int:
        """
        Tell how it is now.

        Returns:
            0: there is nothing more to tell.
        """
        self.health.note(BUS, is_good=not self.leaving.trouble)
        return 0
