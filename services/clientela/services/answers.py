"""
Answers kept so that a repeat of a request gets the same: forgotten when they are old.
"""

from __future__ import annotations

from clientela.services.background import keep_going
from clientela.services.ports import ANSWERS_KEPT, PAGE_MAX, Clock, JournalStore


PAUSE_S = 3_600.0
"""Seconds between two looks for old answers."""


class OldAnswers:
    """
    Forgets answers older than `ANSWERS_KEPT`.

    Args:
        store: Keeps them.

        clock: Tells the time: in a store of virtual time they grow old with it.
    """

    def __init__(self, store: JournalStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Keep going until cancelled."""
        await keep_going("forgetting answers", self.purge, PAUSE_S)

    async def purge(self) -> int:
        """
        Forget at most a page of them.

        Returns:
            How many, if there may be more; 0 when there are none left.
        """
        forgotten = await self._store.purge_answers(self._clock.now() - ANSWERS_KEPT, PAGE_MAX)
        return forgotten if forgotten == PAGE_MAX else 0
