"""
The scheduler: keeps due journals moving, so that nothing expired waits for somebody to ask.

Reads elapse time by themselves; the scheduler makes what they show permanent. One late run comes to
the same as many punctual ones.
"""

from __future__ import annotations

import time

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs

from clientela.domain.company import together
from clientela.domain.event import RecordedEvent
from clientela.domain.ids import JournalId
from clientela.services.background import keep_going
from clientela.services.calls import ContendedError
from clientela.services.command_path import CommandPath
from clientela.services.ports import PAGE_MAX, Clock, JournalStore
from clientela.services.store_errors import StoreUnavailableError


PAUSE_S = 1.0
"""Seconds between two looks for due journals when there were none."""

HISTORY_S = 5.0
"""Seconds without history being told after which time goes on by itself."""

TOLD_S = 1.5 * HISTORY_S
"""The same for other processes: they are told again after half of `HISTORY_S`."""

HISTORY = "history-told"
"""Note of a store that several processes share: until when time does not go on by itself."""

BACKOFF_FIRST_S = 1.0
"""Seconds after which a journal that failed is tried again; they double with every try."""

BACKOFF_MAX_S = 3_600.0
"""Seconds between two tries of a journal at most."""

DOUBLINGS_MAX = 12
"""Tries after which `BACKOFF_MAX_S` is reached."""

FAILURES_MAX = 10
"""Failures in a row after which a journal is parked until the process starts anew."""


class StandstillError(Exception):
    """A journal is due, yet letting time pass changes neither it nor when it is due."""


@attrs.frozen
class _Trouble:
    """
    A journal whose time could not be elapsed.

    Attributes:
        tries: In vain, in a row.

        failures: Those of them for which the journal is to blame.

        again_s: When it is tried again, on the clock of pauses.
    """

    tries: int
    failures: int
    again_s: float

    @property
    def is_parked(self) -> bool:
        """Whether it failed too often."""
        return self.failures >= FAILURES_MAX


class Scheduler:
    """
    Elapses due journals.

    Args:
        path: Elapses.

        store: Knows what is due.

        clock: Tells the time.

        report: Called with a journal and its error whenever one fails.

        monotonic: Seconds, for pauses.

        wall: The present moment, aware, UTC, for pauses that other processes are told of.
    """

    def __init__(
        self,
        path: CommandPath,
        store: JournalStore,
        clock: Clock,
        report: Callable[[JournalId, Exception], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._store = store
        self._clock = clock
        self._report = report
        self._monotonic = monotonic
        self._wall = wall
        self._paused_until = float("-inf")
        self._told_s = float("-inf")
        self._troubles: dict[JournalId, _Trouble] = {}

    @property
    def parked(self) -> tuple[JournalId, ...]:
        """Journals that failed too often."""
        return tuple(sorted(j for j, trouble in self._troubles.items() if trouble.is_parked))

    async def run(self) -> None:
        """Keep going until cancelled."""
        await keep_going("the scheduler", self.step, PAUSE_S)

    async def step(self) -> int:
        """
        Let happen what is due now, unless history is told; what failed lately is left in peace.

        Returns:
            How many journals were moved.
        """
        return await self._advance(self._clock.now(), is_own=True)

    async def pause(self) -> None:
        """
        Let nothing become due by itself for `HISTORY_S` from now on, here and in other processes.

        Who tells a journal its history, oldest first, would otherwise find the end of it there
        already: points long expired between two old purchases.

        Raises:
            StoreUnavailableError: the others cannot be told.
        """
        now_s = self._monotonic()
        if self._store.is_shared and now_s >= self._told_s + HISTORY_S / 2:
            until = self._wall() + timedelta(seconds=TOLD_S)
            await self._store.note(HISTORY, until.isoformat())
            self._told_s = now_s
        self._paused_until = now_s + HISTORY_S

    async def advance(self, to: datetime) -> int:
        """
        Let everything due up to *to* happen, except in parked journals.

        Args:
            to: The moment; each event bears its own due moment.

        Returns:
            How many journals have another version now.

        Raises:
            StoreUnavailableError: the store cannot be reached; the rest is still due.
        """
        return await self._advance(to, is_own=False)

    async def _advance(self, to: datetime, *, is_own: bool) -> int:
        sweep = _Sweep(to, is_own=is_own)
        while await self._swept(sweep):
            pass
        return len(sweep.moved)

    async def _swept(self, sweep: _Sweep) -> bool:
        """Go once through all that is due, past what has to wait; whether anything moved."""
        passed, has_moved = 0, False
        while page := await self._store.due(sweep.to, PAGE_MAX, passed):
            if sweep.is_own and await self._is_paused_elsewhere():
                return False
            for journal_id in page:
                if sweep.is_own and self._is_paused():
                    return False
                if self._has_to_wait(journal_id, sweep):
                    passed += 1
                    continue
                events = await self._elapsed(journal_id, sweep)
                passed += events is None
                has_moved = has_moved or bool(events)
                sweep.moved.update(recorded.journal for recorded in events or ())
        return has_moved

    def _is_paused(self) -> bool:
        return self._monotonic() < self._paused_until

    async def _is_paused_elsewhere(self) -> bool:
        """Whether another process is telling history; however wrong a clock, not for long."""
        until = await self._store.note(HISTORY) if self._store.is_shared else None
        left = datetime.fromisoformat(until) - self._wall() if until else timedelta()
        return timedelta() < left <= timedelta(seconds=TOLD_S)

    def _has_to_wait(self, journal_id: JournalId, sweep: _Sweep) -> bool:
        trouble = self._troubles.get(journal_id)
        if trouble is None:
            return False
        if sweep.is_own:
            return trouble.is_parked or self._monotonic() < trouble.again_s
        return trouble.is_parked or journal_id in sweep.failed

    async def _elapsed(
        self, journal_id: JournalId, sweep: _Sweep
    ) -> tuple[RecordedEvent, ...] | None:
        """What time did to a journal; None if it is as due as before."""
        try:
            outcome = await self._path.elapse(*together(journal_id), at=sweep.to)
            if not outcome.events:
                await self._check_gone(journal_id, sweep.to)
        except StoreUnavailableError:
            # That tells of the store, not of the journal; whoever asked decides when to go on.
            self._note(journal_id, counts=False)
            raise
        except Exception as error:  # noqa: BLE001  # one broken journal must not stop the others
            self._note(journal_id, counts=not isinstance(error, ContendedError))
            self._report(journal_id, error)
            sweep.failed.add(journal_id)
            return None
        self._troubles.pop(journal_id, None)
        return outcome.events

    async def _check_gone(self, journal_id: JournalId, to: datetime) -> None:
        due_at = await self._store.due_at(journal_id)
        if due_at is not None and due_at <= to:
            raise StandstillError

    def _note(self, journal_id: JournalId, *, counts: bool) -> None:
        before = self._troubles.get(journal_id, _Trouble(0, 0, 0.0))
        wait_s = min(BACKOFF_FIRST_S * 2 ** min(before.tries, DOUBLINGS_MAX), BACKOFF_MAX_S)
        self._troubles[journal_id] = _Trouble(
            before.tries + 1, before.failures + counts, self._monotonic() + wait_s
        )


@attrs.frozen
class _Sweep:
    """
    One advance.

    Attributes:
        to: Up to when.

        is_own: Whether the scheduler does it by itself.

        moved: Journals that have another version.

        failed: Journals that failed in it.
    """

    to: datetime
    is_own: bool = attrs.field(kw_only=True)
    moved: set[JournalId] = attrs.field(factory=set[JournalId], init=False)
    failed: set[JournalId] = attrs.field(factory=set[JournalId], init=False)
