"""
Backlogs: how much waits to be done, told again and again.
"""

from __future__ import annotations

import time

from collections.abc import Callable

from clientela.services.background import keep_going
from clientela.services.bus_watch import Leaving
from clientela.services.follow_ups import DONE, FollowUps
from clientela.services.metrics import Level, Metrics
from clientela.services.ports import PAGE_MAX, Clock, JournalStore
from clientela.services.records import Records
from clientela.services.scheduler import Scheduler


PAUSE_S = 10.0
"""Seconds between two looks."""


class Lag:
    """
    How long something that follows positions has been behind.

    Told by looks alone, since moments of events may be of a virtual clock or of imported history:
    what was the end at one look, and is not reached at a later one, has waited at least so long.

    Args:
        monotonic: Seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = 0
        self._at = monotonic()

    def seconds(self, done: int, end: int) -> float:
        """
        How long the oldest that is not done has waited at least.

        Args:
            done: Position up to which all is done.

            end: Position of the last one there is.
        """
        now = self._monotonic()
        if done >= self._end:
            self._end, self._at = end, now
        return now - self._at


class Backlogs:
    """
    Tells what waits.

    Args:
        store: Knows what is committed and what is due.

        clock: Tells what is due.

        scheduler: Knows which journals are parked.

        follow_ups: Knows which events are.

        records: Keeps journals in memory.

        leaving: What events leave by; None if they do not.

        metrics: Learns of it.
    """

    def __init__(
        self,
        store: JournalStore,
        clock: Clock,
        *,
        scheduler: Scheduler,
        follow_ups: FollowUps,
        records: Records,
        leaving: Leaving | None,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._clock = clock
        self._scheduler = scheduler
        self._follow_ups = follow_ups
        self._records = records
        self._leaving = leaving
        self._metrics = metrics
        self._follow_up_lag, self._outbox_lag = Lag(), Lag()

    async def run(self) -> None:
        """Keep going until cancelled."""
        await keep_going("telling backlogs", self.step, PAUSE_S)

    async def step(self) -> int:
        """
        Tell how things are now.

        Returns:
            0: there is nothing more to tell.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        tell = self._metrics.level
        tell(Level.DUE_BACKLOG, len(await self._store.due(self._clock.now(), PAGE_MAX)))
        done = int(await self._store.note(DONE) or 0)
        end = await self._store.last_position()
        tell(Level.FOLLOW_UP_BACKLOG, len(await self._store.read_all(done, PAGE_MAX)))
        tell(Level.FOLLOW_UP_LAG, self._follow_up_lag.seconds(done, end))
        if self._leaving is not None and (left := self._leaving.position) is not None:
            tell(Level.OUTBOX_BACKLOG, len(await self._store.read_all(left, PAGE_MAX)))
            tell(Level.OUTBOX_LAG, self._outbox_lag.seconds(left, end))
        tell(Level.PARKED_NOW, len(self._scheduler.parked), "journals")
        tell(Level.PARKED_NOW, len(await self._follow_ups.parked()), "follow-ups")
        tell(Level.CACHED, self._records.cached, "journals")
        return 0
