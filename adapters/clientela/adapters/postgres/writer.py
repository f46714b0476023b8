"""
The one task that appends: what waits becomes one statement, which is one transaction.

    waiting -> group that goes together -> statement -> everybody is told
                     ^                         |
                     +-- losers told, dropped <+ a claim does not hold

The statement fails whole when any claim in it does. What is committed of all claims is then read,
whoever has lost is told, and the rest goes again. An append that fails without having lost to
anybody contradicts what is stored in another way; it is found by trying it alone.
"""

from __future__ import annotations

import asyncio
import random
import time

from collections import deque
from collections.abc import Callable

import attrs

from clientela.adapters.postgres.claims import Committed, committed
from clientela.adapters.postgres.connections import Connection, Connections
from clientela.adapters.postgres.erasing import erase, tell_changes
from clientela.adapters.postgres.failures import Errors, Failure, failure_of, unavailable
from clientela.adapters.postgres.group import GROUP_MAX, Group
from clientela.adapters.postgres.jobs import Job
from clientela.adapters.postgres.positions import Strategy
from clientela.adapters.postgres.reading import masks_of
from clientela.adapters.sqlite.erasures import erasures_of
from clientela.adapters.sqlite.masks import Masks
from clientela.adapters.sqlite.values import concerned, name_of
from clientela.domain.ids import own_journals
from clientela.services.gathering import Gathering
from clientela.services.rows import Append
from clientela.services.store_errors import StoreError, StoreUnavailableError


QUEUE_MAX = 10_000
"""Appends that may wait; more are refused."""

LINGER_S = 0.002
"""Seconds to wait for company in any case, if there was more lately."""

TRIES_MAX = 8
"""How often a statement is tried that the database asks to be tried again."""

PAUSE_MIN_S, PAUSE_MAX_S = 0.005, 0.2
"""Seconds between two such tries."""

BARREN_MAX = 3
"""Failures of claims in a row, nobody having lost, after which appends are tried one by one."""


class Writer:
    """
    Appends for everybody.

    Args:
        connections: Its own is the one for appends.

        strategy: How positions are given.

        masks: Those remembered.
    """

    def __init__(self, connections: Connections, strategy: Strategy, masks: Masks) -> None:
        self._connections = connections
        self._strategy = strategy
        self._masks = masks
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Job] = deque()
        self._arrived = asyncio.Event()
        self._is_closing = False
        self._gathering = Gathering(lambda: len(self._waiting), LINGER_S)
        self.tell_group: Callable[[int], None] = _ignore
        """Called with the size of every group that is written."""
        self._task = self._loop.create_task(self._run(), name="clientela-writer")

    def submit(self, append: Append) -> asyncio.Future[int]:
        """
        Have an append written; the future is resolved with its position when it is committed.

        Raises:
            StoreUnavailableError: the store is closed, or too much is waiting.
        """
        if self._is_closing:
            raise StoreUnavailableError("the store is closed")
        if len(self._waiting) >= QUEUE_MAX:
            raise StoreUnavailableError("too many appends are waiting")
        future: asyncio.Future[int] = self._loop.create_future()
        self._waiting.append(Job(append, future))
        self._arrived.set()
        return future

    async def stop(self) -> None:
        """Finish what waits."""
        self._is_closing = True
        self._arrived.set()
        await self._task

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            if not self._waiting and self._is_closing:
                return
            await self._gathering.wait()
            count = min(len(self._waiting), GROUP_MAX)
            batch = [self._waiting.popleft() for _ in range(count)]
            if not self._waiting and not self._is_closing:
                self._arrived.clear()
            jobs = deque(job for job in batch if not job.future.cancelled())
            self._gathering.went(len(jobs))
            try:
                self.tell_group(len(jobs))
                await _Round(jobs, self._connections, self._strategy, self._masks).run()
            except Exception as error:  # noqa: BLE001  # whatever it is, nobody waits for ever
                self._connections.drop_writer()
                for job in batch:
                    job.failed(unavailable(error))


def _ignore(_size: int) -> None:
    """Nobody wants to know."""


@attrs.define
class _Round:
    """
    What was taken from the queue at once, until everybody of it is told.

    Attributes:
        jobs: Those not told yet, in order.

        connections: As for `Writer`.

        strategy: Likewise.

        masks: Likewise.

        known: What is committed of their claims, if that was asked since the last commit.

        barren: Failures of claims in a row by which nobody was found to have lost.
    """

    jobs: deque[Job]
    connections: Connections
    strategy: Strategy
    masks: Masks
    known: Committed | None = None
    barren: int = 0

    async def run(self) -> None:
        """Write group after group."""
        while self.jobs:
            connection = await self.connections.writer()
            await self._learn_masks(connection)
            group = self._next_group()
            if group.jobs:
                await self._attempt(connection, group)

    def _next_group(self) -> Group:
        """The first of the jobs that go together; those known to have lost are told."""
        group = Group(self.masks)
        while self.jobs and group.takes(self.jobs[0].append):
            if group.jobs and self.barren >= BARREN_MAX:
                break
            job = self.jobs.popleft()
            refusal = self._refusal(group, job.append)
            if refusal is not None:
                job.failed(refusal)
                self.barren = 0
            elif not job.future.cancelled():
                group.add(job)
        return group

    def _refusal(self, group: Group, append: Append) -> Exception | None:
        if self.known is None:
            return None
        return self.known.after(group.ends).refusal(append)

    async def _attempt(self, connection: Connection, group: Group) -> None:
        try:
            base, prior = await self._execute(connection, group)
        except Errors as error:
            self.masks.forget(group.made_masks)
            if failure_of(error) is not Failure.CLAIM:
                raise
            await self._after_loss(connection, group, error)
            return
        self.known, self.barren = None, 0
        for name, mask in group.made_masks.items():
            self.masks.learn(name, mask)
        if group.erases:
            for person in group.jobs[0].append.keys.forgotten:
                self.masks.forget(map(name_of, own_journals(person)))
        for job, position in group.positions(base, prior):
            job.done(position)

    async def _after_loss(self, connection: Connection, group: Group, error: BaseException) -> None:
        if len(group.jobs) == 1 and self.barren >= BARREN_MAX:
            mistake = StoreError("a row contradicts what is stored")
            mistake.__cause__ = error
            group.jobs[0].failed(mistake)
            self.barren = 0
            return
        self.barren += 1
        self.jobs.extendleft(reversed(group.jobs))
        self.known = await committed(connection, [job.append for job in self.jobs])

    async def _execute(self, connection: Connection, group: Group) -> tuple[int, int]:
        """Write a group; tried again while the database asks for that."""
        sql, arguments = group.statement(self.strategy)
        for _ in range(TRIES_MAX - 1):
            try:
                return await self._written(connection, group, sql, arguments)
            except Errors as error:
                if failure_of(error) is not Failure.AGAIN:
                    raise
            await asyncio.sleep(random.uniform(PAUSE_MIN_S, PAUSE_MAX_S))  # noqa: S311  # a pause
        return await self._written(connection, group, sql, arguments)

    async def _written(
        self, connection: Connection, group: Group, sql: str, arguments: list[object]
    ) -> tuple[int, int]:
        asked_s = time.monotonic()
        if not group.erases:
            (row,) = await connection.fetch(sql, *arguments)
        else:
            async with connection.transaction():
                (row,) = await connection.fetch(sql, *arguments)
                append = group.jobs[0].append
                for erasure in erasures_of(append):
                    await erase(connection, erasure, append.keys.scopes)
                await tell_changes(connection)
        self.connections.tell_keys(row["key_changes"], asked_s)
        return row["base"], row["prior"]

    async def _learn_masks(self, connection: Connection) -> None:
        """Ask for masks of journals that answers concern, unless they are just being begun."""
        begun = {
            name_of(j)
            for job in self.jobs
            for j, version in job.append.expected.items()
            if not version
        }
        wanted = {
            name
            for job in self.jobs
            if job.append.answer is not None
            for name in concerned(job.append.answer)
            if self.barren or name not in begun
        }
        unknown = self.masks.unknown(wanted)
        if unknown:
            found = await masks_of(connection, unknown)
            for name in unknown:
                self.masks.learn(name, found.get(name))
