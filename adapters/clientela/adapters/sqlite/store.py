"""
The journal store in a SQLite file.
"""

from __future__ import annotations

import asyncio
import sqlite3

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from clientela.adapters.sqlite import key_rows, reading, writing
from clientela.adapters.sqlite.copies import abandon_copy, begin_copy, finish_copy
from clientela.adapters.sqlite.erasures import erasures_of
from clientela.adapters.sqlite.health import Health
from clientela.adapters.sqlite.opening import Database, open_database
from clientela.adapters.sqlite.readers import Readers
from clientela.adapters.sqlite.writer import Writer
from clientela.domain.event import Key
from clientela.domain.ids import JournalId
from clientela.domain.record import Holder
from clientela.services.key_rows import KeyRow
from clientela.services.ports import PAGE_MAX
from clientela.services.rows import Append, AuditRow, Loaded, StoredEvent, Wanted
from clientela.services.store_errors import StoreUnavailableError


_T = TypeVar("_T")


class SqliteStore:
    """
    Keeps everything in one file; made by `open`.

    Reads see everything committed before the call. SQL runs on threads of the store, never on that
    of the caller.

    Args:
        database: Open, and from now on the store's to close.
    """

    is_shared = False
    """One process has the file for itself."""

    writer: type[Writer] = Writer
    """What writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        loop = asyncio.get_running_loop()
        self._health = Health(loop)
        self._writer = self.writer(database.writer, database.erasures, self._health, loop)
        self._readers = Readers(database.readers, self._health, loop)
        self._copying = asyncio.Lock()
        self._is_closed = False

    @classmethod
    async def open(
        cls, path: Path, *, rulebook: str = "", may_migrate: bool = False
    ) -> SqliteStore:
        """
        Open a database, or make it.

        Args:
            path: The file; its folder is there.

            rulebook: Fingerprint of the rulebook it must hold facts of; empty to accept any.

            may_migrate: Whether an older one, or one of another rulebook, is brought to this.

        Raises:
            StoreUnsuitableError: it must not be served; the message says what to do.

            StoreUnavailableError: the disk does not let it be read or written.
        """
        database = await asyncio.to_thread(open_database, path, rulebook, may_migrate=may_migrate)
        store = cls(database)
        store._writer.start()
        return store

    async def load(self, wanted: Wanted) -> Loaded:
        """What is committed of *wanted*."""
        return await self._read(reading.load, wanted)

    async def append(self, append: Append) -> int:
        """Append all of it or nothing, together with whatever else waits."""
        self._check_open()
        position: int = await self._writer.submit(append, erasures_of(append))
        return position

    async def read(
        self, journal_id: JournalId, after: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[StoredEvent]:
        """Events of one journal above a version."""
        return await self._read(reading.read, journal_id, after, min(limit, PAGE_MAX))

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        """Events of all journals above a position."""
        return await self._read(reading.read_all, after, limit)

    async def ends(self, journal_ids: Iterable[JournalId]) -> Mapping[JournalId, int]:
        """Versions of the last events of these journals."""
        return await self._read(reading.ends, tuple(journal_ids))

    async def last_position(self) -> int:
        """Position of the last event."""
        return await self._read(reading.last_position)

    async def holder(self, key: Key) -> Holder | None:
        """Who holds *key*."""
        return await self._read(reading.holder, key)

    async def journals(self, after: str = "", limit: int = PAGE_MAX) -> Sequence[JournalId]:
        """Journals above a text, in the order of their texts."""
        return await self._read(reading.journals, after, limit)

    async def due(
        self, until: datetime, limit: int = PAGE_MAX, offset: int = 0
    ) -> Sequence[JournalId]:
        """Journals due, earliest first."""
        return await self._read(reading.due, until, limit, offset)

    async def due_at(self, journal_id: JournalId) -> datetime | None:
        """The due moment of a journal."""
        return await self._read(reading.due_at, journal_id)

    async def key_row(self, person: JournalId) -> KeyRow | None:
        """The key of *person*."""
        return await self._read(reading.key_row, person)

    async def fence_keys(self, kek_id: str) -> None:
        """Take new key rows under *kek_id* only."""
        await self._write(lambda connection: key_rows.fence_keys(connection, kek_id))

    async def stale_keys(self, kek_id: str, limit: int = PAGE_MAX) -> Sequence[KeyRow]:
        """Rows under another key, in the order of their persons."""
        return await self._read(reading.stale_keys, kek_id, limit)

    async def rewrap_keys(self, pairs: Iterable[tuple[KeyRow, KeyRow]]) -> int:
        """Replace the rows that are still the same."""
        taken = tuple(pairs)
        return await self._write(lambda connection: key_rows.rewrap_keys(connection, taken))

    async def purge_answers(self, before: datetime, limit: int = PAGE_MAX) -> int:
        """Drop the oldest answers given before a moment."""
        return await self._write(
            lambda connection: writing.purge_answers(connection, before, limit)
        )

    async def note(self, name: str, value: str | None = None) -> str | None:
        """Read a note; with *value*, write it first."""
        if value is not None:
            await self._write(lambda connection: writing.write_note(connection, name, value))
        return await self._read(reading.note, name)

    async def swap_note(self, name: str, old: str | None, new: str) -> bool:
        """Write a note if it says *old*."""
        return await self._write(lambda connection: writing.swap_note(connection, name, old, new))

    async def audit(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[tuple[int, AuditRow]]:
        """Audit rows above a number."""
        return await self._read(reading.audit, after, limit)

    async def write_audit(self, rows: Iterable[AuditRow]) -> None:
        """Write audit rows."""
        await self.append(Append(expected={}, audit=tuple(rows)))

    async def backup(self, path: Path) -> None:
        """
        Copy the database to a new file while it is served; it holds all that was acknowledged
        before the call and, whole, some of what was after.

        Raises:
            FileExistsAlreadyError: the file is there already.

            StoreUnavailableError: the disk does not take it, or the store has stopped.
        """
        # One after the other: two of the same name would write to each other's file.
        async with self._copying:
            self._check_open()
            target = await asyncio.to_thread(begin_copy, path)
            try:
                await self._writer.copy(target)
            except BaseException:
                await asyncio.to_thread(abandon_copy, target, path)
                raise
            await asyncio.to_thread(finish_copy, target, path)

    async def cleared(self) -> None:
        """Wait until the log is clear of what was overwritten before the call."""
        await self.scrub(lambda _connection: True)

    async def scrub(self, work: Callable[[sqlite3.Connection], bool]) -> None:
        """
        Have something else written to the file, in one transaction.

        Args:
            work: Does it; says whether it overwrote what must not stay in the log either.
        """
        self._check_open()
        await self._writer.submit(work, is_scrub=True)

    async def ask(self, question: Callable[..., _T], *arguments: object) -> _T:
        """What *question* finds with a connection that reads and *arguments*."""
        return await self._read(question, *arguments)

    async def faults(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the file; reads all of it."""
        return await self._read(reading.faults)

    def tell_groups(self, tell: Callable[[int], None]) -> None:
        """Have *tell* called, on a thread of the store, with the size of every group committed."""
        self._writer.tell_group = tell

    async def failed(self) -> str:
        """Wait until the store has stopped for good, which calls for a new process; says why."""
        return await self._health.failed()

    async def close(self) -> None:
        """Finish what was begun and let go of everything; more than once is allowed."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._readers.stop()
        await self._writer.stop()
        await asyncio.to_thread(self._database.close)

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreUnavailableError("the store is closed")
        self._health.check()

    async def _write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        self._check_open()
        result: _T = await self._writer.submit(work)
        return result

    async def _read(self, question: Callable[..., _T], *arguments: object) -> _T:
        self._check_open()
        answer: _T = await self._readers.ask(question, arguments)
        return answer
