"""
Speculation: the next command on a journal is decided on what the append under way will leave.

    committed --- append 1 ---> tip --- append 2 ---> tip         each rests on the one before it
                     |                     |
                  landing               landing                   lost: what rests on it is lost too

A tip is never shown to anybody: an answer leaves when its own append has landed, and that lands
only behind all it rests on, because it names the hash they end in. Whoever must know what is
committed takes the turn of its journals and waits until nothing is under way there.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

import attrs

from clientela.domain.ids import JournalId
from clientela.services.cache import Kept


class Landing:
    """
    An append on its way to the store; it goes on to the end whether anybody waits for it or not.

    Args:
        land: Takes it there; called at once, given this.

    Attributes:
        task: What takes it there; never fails.
    """

    def __init__(self, land: Callable[[Landing], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        # Apart from the task: a caller who goes away ends their own wait and nothing else.
        self._ended: asyncio.Future[None] = loop.create_future()
        self.task = loop.create_task(self._run(land))

    async def end(self) -> None:
        """
        Wait for it; for one caller.

        Raises:
            Exception: what it failed by.
        """
        try:
            await self._ended
        except asyncio.CancelledError:
            await asyncio.wait({self.task})
            raise

    async def _run(self, land: Callable[[Landing], Awaitable[None]]) -> None:
        try:
            await land(self)
        except Exception as error:  # noqa: BLE001 (told to whoever waits)
            if not self._ended.done():
                self._ended.set_exception(error)
        except BaseException:
            self._ended.cancel()
            raise
        else:
            if not self._ended.done():
                self._ended.set_result(None)


@attrs.frozen
class _Tip:
    """
    A journal as the last append under way will leave it.

    Attributes:
        kept: The journal.

        landing: That append.

        epoch: Shared by appends that rest on each other here: one lost, all lost.
    """

    kept: Kept
    landing: Landing
    epoch: object


class Speculation:
    """Keeps the tips of journals with appends under way, and whose turn it is to decide on them."""

    def __init__(self) -> None:
        self._tips: dict[JournalId, _Tip] = {}
        self._epochs: dict[Landing, dict[JournalId, object]] = {}
        self._locks: WeakValueDictionary[JournalId, asyncio.Lock] = WeakValueDictionary()

    def tip(self, journal_id: JournalId) -> Kept | None:
        """A journal as appends under way will leave it; None if there are none."""
        tip = self._tips.get(journal_id)
        return None if tip is None else tip.kept

    def is_free(self, journal_ids: Iterable[JournalId]) -> bool:
        """Whether it is nobody's turn on any of these journals."""
        return not self._locks or not any(
            lock.locked() for j in journal_ids if (lock := self._locks.get(j)) is not None
        )

    @asynccontextmanager
    async def turn(self, journal_ids: Iterable[JournalId]) -> AsyncGenerator[None]:
        """
        From here to the end of the block nobody else decides on these journals.

        Args:
            journal_ids: Sorted, so that nobody waits for each other.
        """
        async with AsyncExitStack() as held:
            for journal_id in journal_ids:
                lock = self._locks.setdefault(journal_id, asyncio.Lock())
                await held.enter_async_context(lock)
            yield

    async def settled(self, journal_ids: Iterable[JournalId]) -> None:
        """Wait until no append to these journals is under way; for whoever has their turn."""
        for journal_id in journal_ids:
            while (tip := self._tips.get(journal_id)) is not None:
                await asyncio.wait({tip.landing.task})

    def begun(self, landing: Landing, left: Iterable[Kept]) -> None:
        """
        Note that an append is under way.

        Args:
            landing: Which.

            left: The journals that it writes to, as it will leave them.
        """
        epochs = self._epochs[landing] = {}
        for kept in left:
            journal_id = kept.journal.id
            before = self._tips.get(journal_id)
            epoch = epochs[journal_id] = object() if before is None else before.epoch
            self._tips[journal_id] = _Tip(kept, landing, epoch)

    def landed(self, landing: Landing) -> None:
        """Note that an append has landed; where it was the last one its journals are committed."""
        for journal_id in self._epochs.pop(landing):
            tip = self._tips.get(journal_id)
            if tip is not None and tip.landing is landing:
                del self._tips[journal_id]

    def lost(self, landing: Landing) -> None:
        """Note that an append is lost: nothing more is decided on it, or on what rests on it."""
        for journal_id, epoch in self._epochs.pop(landing).items():
            tip = self._tips.get(journal_id)
            if tip is not None and tip.epoch is epoch:
                del self._tips[journal_id]
