"""
The journal store in a PostgreSQL database.
"""

from __future__ import annotations

import asyncio
import time

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Self, TypeVar

from clientela.adapters.postgres import changing, reading
from clientela.adapters.postgres.connections import Connection, Connections
from clientela.adapters.postgres.erasing import TOUCHED
from clientela.adapters.postgres.failures import unavailable
from clientela.adapters.postgres.hold import Hold
from clientela.adapters.postgres.loading import load
from clientela.adapters.postgres.opening import prepare
from clientela.adapters.postgres.positions import Strategy
from clientela.adapters.postgres.writer import Writer
from clientela.adapters.sqlite.erasures import Erasure, ErasureList, erasures_of
from clientela.adapters.sqlite.masks import Masks
from clientela.domain.event import Key
from clientela.domain.ids import JournalId
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyRow
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Append, AuditRow, Loaded, StoredEvent, Wanted
from clientela.services.store_errors import StoreUnavailableError, StoreUnsuitableError
from clientela.services.together import Together


_T = TypeVar("_T")


class PostgresStore:
    """
    Keeps everything in one database, which other processes may use at the same time; made by
    `open`.

    Reads see everything committed before the call, by whomever.

    Args:
        url: Of the database.

        strategy: How it gives positions.

        erasures: Where erasures are listed, so that a restored database forgets them again.
    """

    is_shared = True
    """Other processes write as well."""

    def __init__(self, url: str, strategy: Strategy, erasures: ErasureList | None = None) -> None:
        self._erasures = erasures
        self._unlisted: dict[Erasure, None] = {}
        self.connections = Connections(url, self._fail)
        self.strategy = strategy
        self._masks = Masks()
        self._failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._writer = Writer(self.connections, strategy, self._masks)
        self._ends = Together(self._asked_ends)
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        rulebook: str = "",
        may_migrate: bool = False,
        positions: str = "",
        erasures: ErasureList | None = None,
    ) -> Self:
        """
        Open a database; tables are made in an empty one.

        Args:
            url: Of the database.

            rulebook: Fingerprint of the rulebook it must hold facts of; empty to accept any.

            may_migrate: Whether an older one, or one of another rulebook, is brought to this.

            positions: How an empty one is to give positions; empty to let the server decide.

            erasures: The list kept beside it, if there is one.

        Raises:
            StoreUnsuitableError: it must not be served; the message says what to do.

            StoreUnavailableError: it cannot be reached.
        """
        strategy = await prepare(
            url, rulebook, may_migrate=may_migrate, wanted=positions, erasures=erasures
        )
        return cls(url, strategy, erasures)

    async def load(self, wanted: Wanted) -> Loaded:
        """What is committed of *wanted*."""
        asked_s = time.monotonic()
        loaded, changes = await self.ask(lambda c: load(c, wanted, self._masks))
        self.connections.tell_keys(changes, asked_s)
        return loaded

    async def append(self, append: Append) -> int:
        """Append all of it or nothing, together with whatever else waits."""
        self._check_open()
        position = await self._writer.submit(append)
        if append.keys.forgotten:
            self._unlisted.update(dict.fromkeys(erasures_of(append)))
            await self._list_erasures()
        return position

    async def read(
        self, journal_id: JournalId, after: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[StoredEvent]:
        """Events of one journal above a version."""
        return await self.ask(lambda c: reading.read(c, journal_id, after, limit))

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        """
        Events of all journals above a position.

        Raises:
            StoreUnavailableError: a transaction elsewhere on the server holds back their order.
        """
        return await self._settled(lambda c: reading.read_all(c, self.strategy, after, limit))

    async def ends(self, journal_ids: Iterable[JournalId]) -> Mapping[JournalId, int]:
        """Versions of the last events of these journals; those of all who ask in one statement."""
        wanted = tuple(journal_ids)
        found = await self._ends.join(wanted)
        return {journal_id: found.get(journal_id, 0) for journal_id in wanted}

    async def last_position(self) -> int:
        """
        Position of the last event; all up to it can be read.

        Raises:
            StoreUnavailableError: a transaction elsewhere on the server holds back their order.
        """
        last, horizon = await self.ask(lambda c: reading.last_position(c, self.strategy))
        hold = Hold()
        while last >= horizon:
            await hold.wait()
            _, horizon = await self.ask(lambda c: reading.last_position(c, self.strategy))
        return last

    async def holder(self, key: Key) -> Holder | None:
        """Who holds *key*."""
        return await self.ask(lambda c: reading.holder(c, key))

    async def journals(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[JournalId]:
        """Journals above a text, in the order of their texts."""
        return await self.ask(lambda c: reading.journals(c, after, limit))

    async def due(
        self, until: datetime, limit: int = PAGE_MAX, offset: int = 0
    ) -> Sequence[JournalId]:
        """Journals due, earliest first."""
        return await self.ask(lambda c: reading.due(c, until, limit, offset))

    async def due_at(self, journal_id: JournalId) -> datetime | None:
        """The due moment of a journal."""
        return await self.ask(lambda c: reading.due_at(c, journal_id))

    async def key_row(self, person: JournalId) -> KeyRow | None:
        """The key of *person*."""
        return await self.ask(lambda c: reading.key_row(c, person))

    async def fence_keys(self, kek_id: str) -> None:
        """Take new key rows under *kek_id* only."""
        await self.put(lambda c: changing.fence_keys(c, kek_id))

    async def stale_keys(self, kek_id: str, limit: int = PAGE_MAX) -> Sequence[KeyRow]:
        """Rows under another key, in the order of their persons."""
        return await self.ask(lambda c: reading.stale_keys(c, kek_id, limit))

    async def rewrap_keys(self, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
        """Replace the rows that are still the same."""
        taken = tuple(pairs)
        return await self.put(lambda c: changing.rewrap_keys(c, taken))

    async def cleared(self) -> None:
        """
        List what was erased, if that could not be done, and vacuum the tables in which something
        was forgotten, so that its room is used again.

        Dead rows that an old transaction may still want to see stay until it has ended, and what
        was written to the write-ahead log stays there until that is recycled.
        """
        self._check_open()
        await self._list_erasures()
        await self.connections.tidy(f"VACUUM {', '.join(TOUCHED)}")

    async def purge_answers(self, before: datetime, limit: int = PAGE_MAX) -> int:
        """Drop the oldest answers given before a moment."""
        return await self.put(lambda c: changing.purge_answers(c, before, limit))

    async def note(self, name: str, value: str | None = None) -> str | None:
        """Read a note; with *value*, write it first."""
        if value is None:
            return await self.ask(lambda c: reading.note(c, name))
        await self.put(lambda c: changing.write_note(c, name, value))
        return value

    async def swap_note(self, name: str, old: str | None, new: str) -> bool:
        """Write a note if it says *old*."""
        return await self.put(lambda c: changing.swap_note(c, name, old, new))

    async def audit(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[tuple[int, AuditRow]]:
        """Audit rows above a number."""
        return await self._settled(lambda c: reading.audit(c, self.strategy, after, limit))

    async def write_audit(self, rows: Iterable[AuditRow]) -> None:
        """Write audit rows."""
        await self.append(Append(expected={}, audit=tuple(rows)))

    async def ask(self, question: Callable[[Connection], Awaitable[_T]]) -> _T:
        """What *question* finds with a connection that reads."""
        self._check_open()
        return await self.connections.read(question)

    async def change(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Have something else than an append written, in a transaction of its own."""
        self._check_open()
        return await self.connections.write(work)

    async def put(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Have something else than an append written, by one statement."""
        self._check_open()
        return await self.connections.write_once(work)

    def tell_groups(self, tell: Callable[[int], None]) -> None:
        """Have *tell* called with the size of every group that is written."""
        self._writer.tell_group = tell

    async def failed(self) -> str:
        """Wait until the server must not be used any more; says why."""
        return await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Finish what was begun and let go of everything; more than once is allowed."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._writer.stop()
        await self.connections.close()

    async def _asked_ends(self, journal_ids: list[JournalId]) -> dict[JournalId, int]:
        asked_s = time.monotonic()
        found, changes = await self.ask(lambda c: reading.ends(c, journal_ids))
        self.connections.tell_keys(changes, asked_s)
        return found

    async def _list_erasures(self) -> None:
        if self._erasures is None or not self._unlisted:
            return
        taken = tuple(self._unlisted)
        try:
            await asyncio.to_thread(self._erasures.add, taken)
        except OSError as error:
            raise unavailable(error) from error
        for erasure in taken:
            self._unlisted.pop(erasure, None)

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreUnavailableError("the store is closed")

    def _fail(self, error: StoreUnsuitableError) -> None:
        if not self._failure.done():
            self._failure.set_result(str(error))

    async def _settled(
        self, question: Callable[[Connection], Awaitable[tuple[Sequence[_T], int]]]
    ) -> Sequence[_T]:
        """The rows found; waits if there are some, yet none that may be handed out."""
        hold = Hold()
        while True:
            rows, held = await self.ask(question)
            if rows or not held:
                return rows
            await hold.wait()
