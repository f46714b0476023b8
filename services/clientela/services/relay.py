"""
The relay: brings every committed event to the stream, in the order of commits.

    lease -> join the stream -> events after its last one -> publish -> events after those ...
                  ^                                             |
                  +------ somebody else wrote, or it was wiped -+

Nothing is kept about what was sent: the stream itself says where to go on. So whatever dies at
whatever moment, nothing is left out and nothing comes twice. One relay of the company works at a
time; one that was stopped past its lease and wakes is refused by the stream, since its tail is not
the end any more. Commands never wait for any of this.
"""

from __future__ import annotations

import asyncio
import logging
import time

from collections.abc import Callable, Sequence
from datetime import timedelta

from clientela.services.bus import Bus, BusAheadError, BusError, FencedError, Tail
from clientela.services.event_messages import EventMessages, Message
from clientela.services.leases import Lease, Leases
from clientela.services.metrics import NO_METRICS, Count, Metrics
from clientela.services.partitions import check_partitions
from clientela.services.ports import JournalStore
from clientela.services.store_errors import StoreError


LEASE = "relay"
"""Name of the lease that the one relay at work holds."""

LEASE_TTL = timedelta(seconds=15)
"""After this time without a sign of life another relay takes over."""

RENEW_S = 4.0
"""Seconds after which the lease is renewed."""

BATCH_MAX = 500
"""Events published at once; the next ones only after all of them are in."""

GAP_S = 0.025
"""Seconds between two batches at least, unless there is a backlog: batches of one are dear."""

POLL_S = 1.0
"""Seconds between two looks for events that other processes committed."""

LOOK_S = 30.0
"""Seconds without an event after which the stream is looked at, in case it was wiped."""

BACKOFF_FIRST_S = 0.2
"""Seconds until a failed batch is tried again; they double with every failure in a row."""

BACKOFF_MAX_S = 5.0
"""Seconds between two tries at most."""

EPOCH = "epoch"
"""Note: which life of the store this is."""

REBUILD = "stream-rebuild"
"""Note: the rebuilding asked for last, by a name made for it."""

REBUILT = "stream-rebuilt"
"""Note: the rebuilding begun last; the same as `REBUILD` when none is left to begin."""

_LOG = logging.getLogger(__name__)


class Relay:
    """
    Brings events to the bus while it holds the lease.

    Args:
        store: Where events come from.

        leases: Grant the lease.

        bus: Where events go.

        messages: Makes messages of them.

        holder: Names this relay, differently from every other there ever was.

        monotonic: Tells seconds.
    """

    def __init__(
        self,
        store: JournalStore,
        leases: Leases,
        bus: Bus,
        messages: EventMessages,
        holder: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._leases = leases
        self._bus = bus
        self._messages = messages
        self._holder = holder
        self._monotonic = monotonic
        self._lease: Lease | None = None
        self._renew_at_s = float("-inf")
        self._look_at_s = float("-inf")
        self._epoch = ""
        self._tail: Tail | None = None
        self._ahead: tuple[int, asyncio.Future[Sequence[Message]] | None] = (0, None)
        self._woken = asyncio.Event()
        self._trouble = ""
        self.metrics: Metrics = NO_METRICS
        """Learns of what has left."""

    @property
    def position(self) -> int | None:
        """Position of the last event in the stream; None unless this relay is at work."""
        return self._tail.position if self._tail is not None else None

    @property
    def trouble(self) -> str:
        """Why nothing leaves at the moment; empty when all is well."""
        return self._trouble

    def wake(self) -> None:
        """There is something new; from the thread of the relay's loop."""
        self._woken.set()

    def look(self) -> None:
        """Something was asked of the relay in the store: look now, not at the next renewal."""
        self._renew_at_s = float("-inf")
        self._woken.set()

    async def run(self) -> None:
        """Keep going until cancelled, then give the lease back."""
        backoff_s = BACKOFF_FIRST_S
        try:
            while True:
                begun_s = self._monotonic()
                self._woken.clear()
                try:
                    sent = await self.step()
                except Exception as error:  # noqa: BLE001  Nothing may end what events leave by.
                    self._report(error)
                    await asyncio.sleep(backoff_s)
                    backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)
                    continue
                backoff_s = BACKOFF_FIRST_S
                self._report(None)
                if sent < BATCH_MAX:
                    await self._rest(begun_s)
        finally:
            await self._give_back()

    async def step(self) -> int:
        """
        Publish the events that come next, if this relay is the one at work.

        Returns:
            How many, 0 to `BATCH_MAX`.

        Raises:
            BusError, StoreError: they could not be; the next step goes on where the stream ends.
        """
        if not await self._leads():
            return 0
        tail = self._tail or await self._joined()
        batch = await self._next(tail.position)
        now_s = self._monotonic()
        try:
            if batch:
                await tail.publish(batch)
                self.metrics.count(Count.PUBLISHED, times=len(batch))
            elif now_s >= self._look_at_s:
                await tail.check()
        except BaseException as error:
            self._tail = None
            if isinstance(error, FencedError):
                self._renew_at_s = float("-inf")
            raise
        if batch or now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
        return len(batch)

    async def _next(self, position: int) -> Sequence[Message]:
        """The messages after a position; in a backlog those after them are made meanwhile."""
        after, ahead = self._ahead
        batch: Sequence[Message] = ()
        try:
            if ahead is not None and after == position:
                batch = await ahead
        finally:
            self._drop_ahead()
        if len(batch) < BATCH_MAX:
            # What was made meanwhile ends where the store did then; by now there may be more.
            batch = await self._made(position)
        if len(batch) == BATCH_MAX:
            last = batch[-1].position
            self._ahead = (last, asyncio.ensure_future(self._made(last)))
        return batch

    def _drop_ahead(self) -> None:
        (_, ahead), self._ahead = self._ahead, (0, None)
        if ahead is not None and not ahead.cancel() and not ahead.cancelled():
            ahead.exception()  # Whoever needs it reads again, and is told.

    async def _made(self, after: int) -> Sequence[Message]:
        rows = await self._store.read_all(after, BATCH_MAX)
        return [self._messages.of(row, self._epoch) for row in rows]

    async def _leads(self) -> bool:
        """Whether the lease is held; what holding it may ask for is done at every renewal."""
        now_s = self._monotonic()
        if now_s < self._renew_at_s:
            return self._lease is not None
        lease = await self._leases.acquire(LEASE, self._holder, LEASE_TTL)
        if lease != self._lease:
            self._tail = None
        self._lease = lease
        self._renew_at_s = now_s + (RENEW_S if lease is not None else POLL_S)
        if lease is None:
            return False
        wanted = await self._store.note(REBUILD)
        if wanted != await self._store.note(REBUILT):
            self._tail = None
            await self._bus.clear()
            await self._store.note(REBUILT, wanted)
        return True

    async def _joined(self) -> Tail:
        await check_partitions(self._store)
        self._epoch = await self._store.note(EPOCH) or ""
        tail = await self._bus.join()
        is_other = tail.position > 0 and tail.epoch != self._epoch
        if is_other or tail.position > await self._store.last_position():
            raise BusAheadError
        self._look_at_s = self._monotonic() + LOOK_S
        self._tail = tail
        return tail

    async def _rest(self, begun_s: float) -> None:
        """Wait for news, and in any case until the gap between two batches is over."""
        try:
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        except TimeoutError:
            return
        await asyncio.sleep(max(begun_s + GAP_S - self._monotonic(), 0.0))

    async def _give_back(self) -> None:
        lease, self._lease, self._tail = self._lease, None, None
        self._drop_ahead()
        if lease is not None:
            try:
                await self._leases.release(lease)
            except StoreError:
                _LOG.warning("the lease of the relay runs out by itself")

    def _report(self, error: Exception | None) -> None:
        """Say once what is wrong, and once that it is well again."""
        trouble = ""
        if error is not None:
            # Of others the type alone: the text of an error may hold what somebody typed.
            is_ours = isinstance(error, BusError | StoreError)
            trouble = (is_ours and str(error)) or type(error).__name__
        if trouble != self._trouble:
            if trouble:
                _LOG.error("events do not leave at the moment: %s", trouble)
            else:
                _LOG.warning("events leave again")
        self._trouble = trouble
