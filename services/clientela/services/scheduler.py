"""
The scheduler: keeps due journals moving, so that nothing expired waits for somebody to ask.

Reads elapse time by themselves; the scheduler makes what they show permanent. One late run comes to
the same as many punctual ones.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

from clientela.domain.company import together
from clientela.domain.ids import JournalId
from clientela.services.command_path import CommandPath
from clientela.services.ports import PAGE_MAX, Clock, JournalStore


PAUSE_S = 1.0
"""Seconds between two looks for due journals when there were none."""

HISTORY_S = 5.0
"""Seconds without history being told after which time goes on by itself."""

BACKOFF_FIRST = timedelta(seconds=1)
BACKOFF_MAX = timedelta(hours=1)
FAILURES_MAX = 10
"""Failures in a row after which a journal is parked until the process starts anew."""


@attrs.define
class _Trouble:
    """A journal whose time could not be elapsed."""

    failures: int
    again_at: datetime


class Scheduler:
    """
    Elapses due journals.

    Args:
        path: Elapses.

        store: Knows what is due.

        clock: Tells the time.

        report: Called with a journal and its error whenever one fails.

        monotonic: Seconds, for pauses.
    """

    def __init__(
        self,
        path: CommandPath,
        store: JournalStore,
        clock: Clock,
        report: Callable[[JournalId, Exception], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._store = store
        self._clock = clock
        self._report = report
        self._monotonic = monotonic
        self._paused_until = float("-inf")
        self._troubles: dict[JournalId, _Trouble] = {}

    @property
    def parked(self) -> tuple[JournalId, ...]:
        """Journals that failed too often."""
        found = (j for j, trouble in self._troubles.items() if trouble.failures >= FAILURES_MAX)
        return tuple(sorted(found))

    async def run(self) -> None:
        """Keep going until cancelled."""
        while True:
            if self._is_paused() or not await self.advance(self._clock.now(), may_pause=True):
                await asyncio.sleep(PAUSE_S)

    def pause(self) -> None:
        """
        Let nothing become due by itself for `HISTORY_S` from now on.

        Who tells a journal its history, oldest first, would otherwise find the end of it there
        already: points long expired between two old purchases.
        """
        self._paused_until = self._monotonic() + HISTORY_S

    async def advance(self, to: datetime, *, may_pause: bool = False) -> int:
        """
        Let everything due up to *to* happen.

        Args:
            to: The moment; each event bears its own due moment.

            may_pause: Whether to stop early while history is told.

        Returns:
            How many journals were moved.
        """
        moved = 0
        while True:
            due = await self._store.due(to, PAGE_MAX)
            ready = [j for j in due if self._is_ready(j)]
            if not ready:
                return moved
            for journal_id in ready:
                if may_pause and self._is_paused():
                    return moved
                moved += await self._elapse(journal_id, to)

    def _is_paused(self) -> bool:
        return self._monotonic() < self._paused_until

    def _is_ready(self, journal_id: JournalId) -> bool:
        trouble = self._troubles.get(journal_id)
        if trouble is None:
            return True
        return trouble.failures < FAILURES_MAX and trouble.again_at <= self._clock.now()

    async def _elapse(self, journal_id: JournalId, to: datetime) -> int:
        try:
            await self._path.elapse(*together(journal_id), at=to)
        except Exception as error:  # noqa: BLE001  # one broken journal must not stop the others
            self._note(journal_id)
            self._report(journal_id, error)
            return 0
        self._troubles.pop(journal_id, None)
        return 1

    def _note(self, journal_id: JournalId) -> None:
        failures = 1
        if journal_id in self._troubles:
            failures = self._troubles[journal_id].failures + 1
        wait = min(BACKOFF_FIRST * 2 ** (failures - 1), BACKOFF_MAX)
        self._troubles[journal_id] = _Trouble(failures, self._clock.now() + wait)
