"""
Flights: entries that are sent together, so that those of a client keep their order.

    entries -> is the client in the air? -> yes: they wait until that flight has landed
                                         -> no:  the next flight
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from clientela.adapters.imports.entries import Entry


FLIGHT_MAX = 64
"""Entries of a flight."""

FLIGHT_ROWS_MAX = 500
"""Rows after which a flight takes no further entry."""

WAITING_MAX = 1_024
"""Entries that wait for a flight to land; with so many no more are read."""


class Flights:
    """
    Puts entries together.

    Args:
        entries: In the order of the file.
    """

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self._in_air: dict[str, list[Entry]] = {}
        self._freed: deque[Entry] = deque()
        self._waiting = 0

    def start(self) -> list[Entry]:
        """The next flight, of clients of whom nothing is in the air; empty where none can start."""
        load: list[Entry] = []
        rows = 0
        while len(load) < FLIGHT_MAX and rows < FLIGHT_ROWS_MAX:
            entry = self._next()
            if entry is None:
                break
            if entry.client in self._in_air:
                self._in_air[entry.client].append(entry)
                self._waiting += 1
            else:
                load.append(entry)
                rows += len(entry.lines)
        self._in_air.update({entry.client: [] for entry in load})
        return load

    def land(self, load: list[Entry]) -> None:
        """Have those go on who waited for this flight."""
        for client in {entry.client: None for entry in load}:
            self._freed.extend(self._in_air.pop(client))

    def _next(self) -> Entry | None:
        """The next entry: one that waited, else one of the file; None for none by now."""
        if self._freed:
            self._waiting -= 1
            return self._freed.popleft()
        return next(self._entries, None) if self._waiting < WAITING_MAX else None
