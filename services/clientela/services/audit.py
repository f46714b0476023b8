"""
Audit of what leaves no event: denials, and reads of personal values.

Changes and refusals are audited by the command path, in the transaction of the change. What is
written here is written before the answer; if it cannot be written there is no answer. What comes
while rows are being written is written together after them. Denials of
the same kind are counted, so that a flood of them does not fill the store: the first is a row at
once, those of the next minute are one more row whose reason ends in ` x<count>`.
"""

from __future__ import annotations

import time

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from clientela.services.background import keep_going
from clientela.services.ports import Clock, JournalStore
from clientela.services.rows import AuditRow
from clientela.services.together import Together


ANONYMOUS = "anonymous"
"""Actor of calls without credentials that hold."""

DENIED = "denied"
"""Decision of a denial."""

READ = "read"
"""Decision of a read of personal values."""

WINDOW_SECONDS = 60.0
"""For how long denials of the same kind are only counted."""

OVER = float("-inf")
"""When a minute began that is over in any case."""

KINDS_MAX = 10_000
"""Kinds of denial counted at once; the oldest is written out to make room."""


@attrs.define
class _Count:
    """Denials of one kind since the row of the first."""

    began_at: float
    count: int = 0


@attrs.frozen
class _Kind:
    """What makes denials the same."""

    actor: str
    method: str
    reason: str


class Audit:
    """
    Writes audit rows.

    Args:
        store: Where to.

        clock: Tells when.

        monotonic: Seconds, for the counting of denials.
    """

    def __init__(
        self, store: JournalStore, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._counts: OrderedDict[_Kind, _Count] = OrderedDict()
        self._rounds = Together(store.write_audit)

    async def read(self, actor: str, method: str, target: str) -> None:
        """
        Note that *actor* is about to see personal values.

        Raises:
            StoreUnavailableError: it cannot be noted, so they must not be shown.
        """
        await self._rounds.join((self._row(actor, method, target, READ, ""),))

    async def denied(self, actor: str, method: str, target: str, reason: str) -> None:
        """
        Note that *actor* was denied something.

        Raises:
            StoreUnavailableError: it cannot be noted.
        """
        kind, now = _Kind(actor, method, reason), self._monotonic()
        known = self._counts.get(kind)
        if known is not None and now - known.began_at < WINDOW_SECONDS:
            known.count += 1
            return
        taken = self._taken([kind])
        counted = self._counts[kind] = _Count(now)
        if len(self._counts) > KINDS_MAX:
            taken.update(self._taken([next(iter(self._counts))]))
        rows = [*self._rows(taken), self._row(actor, method, target, DENIED, reason)]
        try:
            await self._rounds.join(rows)
        except Exception:
            # The first of this minute is not there: the next one is a row again.
            counted.began_at = OVER
            self._put_back(taken)
            raise

    async def flush(self) -> None:
        """
        Write out every count whose minute is over.

        Raises:
            StoreUnavailableError: they cannot be written, and are kept.
        """
        now = self._monotonic()
        over = [k for k, c in self._counts.items() if now - c.began_at >= WINDOW_SECONDS]
        await self._write_out(over)

    async def close(self) -> None:
        """
        Write out every count.

        Raises:
            StoreUnavailableError: they cannot be written.
        """
        await self._write_out(list(self._counts))

    async def run(self) -> None:
        """Write out counts until cancelled; those that cannot be written are tried again."""
        await keep_going("writing counts of denials", self._step, WINDOW_SECONDS)

    async def _step(self) -> int:
        await self.flush()
        return 0

    async def _write_out(self, kinds: Sequence[_Kind]) -> None:
        taken = self._taken(kinds)
        rows = self._rows(taken)
        try:
            if rows:
                await self._rounds.join(rows)
        except Exception:
            self._put_back(taken)
            raise

    def _taken(self, kinds: Iterable[_Kind]) -> dict[_Kind, _Count]:
        """What was counted of *kinds*, which are counted anew."""
        return {kind: self._counts.pop(kind) for kind in kinds if kind in self._counts}

    def _put_back(self, taken: Mapping[_Kind, _Count]) -> None:
        """Count on, for the rows of *taken* were not written."""
        for kind, counted in taken.items():
            held = self._counts.setdefault(kind, counted)
            if held is not counted:
                held.count += counted.count

    def _rows(self, taken: Mapping[_Kind, _Count]) -> list[AuditRow]:
        """The rows of what was counted; none for nothing."""
        return [
            self._row(kind.actor, kind.method, "", DENIED, f"{kind.reason} x{counted.count}")
            for kind, counted in taken.items()
            if counted.count
        ]

    def _row(self, actor: str, method: str, target: str, decision: str, reason: str) -> AuditRow:
        return AuditRow(
            at=self._clock.now(),
            actor=actor,
            method=method,
            target=target,
            decision=decision,
            reason=reason,
        )
