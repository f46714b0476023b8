"""
Audit of what leaves no event: denials, and reads of personal values.

Changes and refusals are audited by the command path, in the transaction of the change. What is
written here is written before the answer; if it cannot be written there is no answer. What comes
while rows are being written is written together after them. Denials of
the same kind are counted, so that a flood of them does not fill the store: the first is a row at
once, those of the next minute are one more row whose reason ends in ` x<count>`.
"""

from __future__ import annotations

import asyncio
import time

from collections import OrderedDict
from collections.abc import Callable

import attrs

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
        counted = self._counts.get(kind)
        if counted is not None and now - counted.began_at < WINDOW_SECONDS:
            counted.count += 1
            return
        rows = [*self._taken(kind), self._row(actor, method, target, DENIED, reason)]
        self._counts[kind] = _Count(now)
        if len(self._counts) > KINDS_MAX:
            rows.extend(self._taken(next(iter(self._counts))))
        await self._rounds.join(rows)

    async def flush(self) -> None:
        """Write out every count whose minute is over."""
        now = self._monotonic()
        over = [k for k, c in self._counts.items() if now - c.began_at >= WINDOW_SECONDS]
        await self._write_out(over)

    async def close(self) -> None:
        """Write out every count."""
        await self._write_out(list(self._counts))

    async def run(self) -> None:
        """Write out counts until cancelled."""
        while True:
            await asyncio.sleep(WINDOW_SECONDS)
            await self.flush()

    async def _write_out(self, kinds: list[_Kind]) -> None:
        rows = [row for kind in kinds for row in self._taken(kind)]
        if rows:
            await self._rounds.join(rows)

    def _taken(self, kind: _Kind) -> tuple[AuditRow, ...]:
        """The row of what was counted of *kind*, which is counted anew; none for nothing."""
        counted = self._counts.pop(kind, None)
        if counted is None or not counted.count:
            return ()
        reason = f"{kind.reason} x{counted.count}"
        return (self._row(kind.actor, kind.method, "", DENIED, reason),)

    def _row(self, actor: str, method: str, target: str, decision: str, reason: str) -> AuditRow:
        return AuditRow(
            at=self._clock.now(),
            actor=actor,
            method=method,
            target=target,
            decision=decision,
            reason=reason,
        )
