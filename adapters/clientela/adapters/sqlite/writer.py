"""
The one thread that writes: what waits goes into one transaction and is acknowledged after it.

    queue -> | begin, each job whole or not at all, commit | -> acknowledge -> checkpoint

A job whose claims fail is rolled back alone and the rest goes on. An error of the disk ends it:
nothing is acknowledged any more, since a sync that failed once may seem to work the next time.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading

from collections.abc import Callable, Iterable
from typing import Any

from clientela.adapters.sqlite.appending import Appender
from clientela.adapters.sqlite.connection import (
    is_fatal,
    truncated,
    unavailable,
    undo,
)
from clientela.adapters.sqlite.erasures import Erasure, ErasureList
from clientela.adapters.sqlite.health import Health
from clientela.adapters.sqlite.jobs import Job, Outcome, Work, tell
from clientela.services.gathering import Gathering
from clientela.services.rows import Append
from clientela.services.store_errors import StoreUnavailableError


GROUP_MAX = 128
"""Jobs of one transaction."""

QUEUE_MAX = 10_000
"""Jobs that may wait; more are refused."""

CHECKPOINT_ROWS = 2_000
"""Rows changed between two checkpoints: a log of some ten megabytes."""

CLEAR_SECONDS = 1.0
"""How long until erased bytes that a reader kept in the log are cleared again."""

LOG_PAGES_MAX = 16_384
"""Pages of the log, 64 MiB, after which a checkpoint waits for readers in order to empty it."""

COPY_PAGES = 256
"""Pages of a backup copied before waiting jobs get their turn."""


def _ignore(_size: int) -> None:
    """Nobody wants to know."""


class Writer:
    """
    Writes for everybody.

    Args:
        connection: The only one that writes; its thread's own from `start` on.

        erasures: Where erasures are listed.

        health: Shared with the readers.

        loop: Where callers wait.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        erasures: ErasureList,
        health: Health,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._connection = connection
        self._erasures = erasures
        self._health = health
        self._loop = loop
        self._queue: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._submitted: list[Job] = []
        self._gathering = Gathering(lambda: len(self._submitted))
        self._gathered: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="clientela-writer", daemon=True)
        self._appender = Appender()
        self._is_closing = False
        self._is_stopped = False
        self._is_copying = False
        self._changes = connection.total_changes
        self._unlisted: list[Erasure] = []
        self.tell_group: Callable[[int], None] = _ignore
        """Called on the thread of the writer with the size of every group committed."""
        self._must_truncate = False

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(
        self,
        work: Work | Append,
        erasures: tuple[Erasure, ...] = (),
        *,
        is_alone: bool = False,
        is_scrub: bool = False,
    ) -> asyncio.Future[Any]:
        """
        Have an append or something else written; the future is resolved when it lasts, and when
        the log is clear of what it overwrote, if that must vanish.

        Raises:
            StoreUnavailableError: the store has stopped, or too much is waiting.
        """
        self._health.check()
        if self._is_closing:
            raise StoreUnavailableError("the store is closed")
        if self._queue.qsize() + len(self._submitted) >= QUEUE_MAX:
            raise StoreUnavailableError("too many appends are waiting")
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._submitted:
            self._gathered = self._loop.create_task(self._gathering.wait())
            self._gathered.add_done_callback(self._hand_over)
        self._submitted.append(Job(work, future, erasures, is_alone, is_scrub))
        return future

    def _hand_over(self, _gathered: object = None) -> None:
        """Hand over what callers submitted together, so that the thread is woken once for it."""
        if self._submitted:
            self._gathering.went(len(self._submitted))
        for job in self._submitted:
            self._queue.put(job)
        self._submitted.clear()

    async def copy(self, target: sqlite3.Connection) -> None:
        """
        Copy the database as it is when this returns, a few pages at a time.

        Whoever goes away ends it, and is let go when the thread has done with *target*.
        """
        is_left = threading.Event()
        copied = self.submit(
            lambda connection: self._copy(connection, target, is_left), is_alone=True
        )
        try:
            await asyncio.wait({copied})
        except asyncio.CancelledError:
            is_left.set()
            while not copied.done():
                # Whoever stops a process cancels again what takes a while.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({copied})
            copied.exception()  # How it ended is nobody's concern.
            raise
        copied.result()

    async def stop(self) -> None:
        """Finish what waits, empty the log, end the thread. The connection stays open."""
        self._is_closing = True
        self._hand_over()
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(Job(self._finish, future, is_alone=True))
        await future
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                job = self._queue.get(timeout=CLEAR_SECONDS if self._must_truncate else None)
            except queue.Empty:
                self._write([])
            else:
                self._round(job)

    def _round(self, first: Job) -> None:
        """Do what waits: all that may in one transaction, then the rest one by one."""
        waiting = [first]
        while len(waiting) < GROUP_MAX and not self._queue.empty():
            waiting.append(self._queue.get())
        wanted = [job for job in waiting if not job.future.cancelled()]
        group = [job for job in wanted if not job.is_alone]
        if group:
            self._write(group)
        for job in wanted:
            if job.is_alone:
                self._do_alone(job)

    def _write(self, group: list[Job]) -> None:
        try:
            self._health.check()
            outcomes = self._execute(group)
            self._connection.execute("COMMIT")
            self.tell_group(len(group))
            self._acknowledge(outcomes)
            self._checkpoint()
        except Exception as error:  # noqa: BLE001  Whatever it is, callers must not wait for ever.
            self._refuse(group, error)

    def _execute(self, group: list[Job]) -> list[Outcome]:
        return self._appender.execute(self._connection, group)

    def _acknowledge(self, outcomes: list[Outcome]) -> None:
        """Tell the callers; those who erased only when nothing is left in the files."""
        erasing = [outcome for outcome in outcomes if outcome.must_vanish]
        self._resolve(outcome for outcome in outcomes if outcome not in erasing)
        if erasing:
            self._unlisted.extend(e for outcome in erasing for e in outcome.job.erasures)
            self._must_truncate = True
        if self._must_truncate:
            self._clear()
            self._resolve(erasing)

    def _clear(self) -> None:
        """List what was erased and bring every overwritten page to its place."""
        self._erasures.add(self._unlisted)
        self._unlisted.clear()
        if not truncated(self._connection):
            raise StoreUnavailableError("a reader kept erased bytes in the log; try again")
        self._must_truncate = False

    def _checkpoint(self) -> None:
        if self._connection.total_changes - self._changes < CHECKPOINT_ROWS:
            return
        self._changes = self._connection.total_changes
        _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages > LOG_PAGES_MAX:
            truncated(self._connection)

    def _refuse(self, group: list[Job], error: Exception) -> None:
        """Whoever of the group was told nothing yet learns that it may have been in vain."""
        if not isinstance(error, StoreUnavailableError) and is_fatal(error):
            self._health.fail(error)
        self._appender.undone()
        try:
            undo(self._connection)
        except Exception as fatal:  # noqa: BLE001  As in _write.
            self._health.fail(fatal)
        # An error of its own for each: one that is raised many times grows with every time.
        self._resolve(Outcome(job, error=unavailable(error)) for job in group)

    def _do_alone(self, job: Job) -> None:
        if self._is_copying:
            self._queue.put(job)
            return
        assert not isinstance(job.work, Append)
        try:
            outcome = Outcome(job, job.work(self._connection))
        except Exception as error:  # noqa: BLE001  It is its caller's.
            if isinstance(error, sqlite3.Error):
                if is_fatal(error):
                    self._health.fail(error)
                error = unavailable(error)
            outcome = Outcome(job, error=error)
        self._resolve([outcome])

    def _copy(
        self, connection: sqlite3.Connection, target: sqlite3.Connection, is_left: threading.Event
    ) -> None:
        """
        Copy to *target*; jobs get their turn between pages.

        What they write goes through the same connection, so SQLite carries it into the copy.
        """

        def between(_status: int, _remaining: int, _total: int) -> None:
            self._health.check()
            if is_left.is_set():
                raise StoreUnavailableError("nobody waits for the copy any more")
            if not self._queue.empty():
                self._round(self._queue.get())

        self._is_copying = True
        try:
            connection.backup(target, pages=COPY_PAGES, progress=between)
        finally:
            self._is_copying = False

    def _finish(self, connection: sqlite3.Connection) -> None:
        self._is_stopped = True
        if self._health.is_good:
            # Where that cannot be done, whoever opens the file next goes on from the log.
            with contextlib.suppress(sqlite3.Error):
                truncated(connection)

    def _resolve(self, outcomes: Iterable[Outcome]) -> None:
        told = list(outcomes)
        if told and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(tell, told)
