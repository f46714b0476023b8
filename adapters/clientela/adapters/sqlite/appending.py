"""
What waits as one transaction: appends that go together at once, and one by one where that fails.

    appends that go together -> written -> other jobs, one by one
              ^                    |
              +-- one by one <-----+ a claim does not hold: rolled back, whoever lost is told
"""

from __future__ import annotations

import functools
import sqlite3

from collections import deque
from collections.abc import Iterable, Sequence

from clientela.adapters.sqlite.connection import is_mistake, undo
from clientela.adapters.sqlite.group import Group, LostError
from clientela.adapters.sqlite.jobs import Job, Outcome, attempt, mistaken
from clientela.adapters.sqlite.masks import Masks
from clientela.adapters.sqlite.refusals import refusal
from clientela.services.rows import Append


_BEGIN = "BEGIN IMMEDIATE"

_Appends = Sequence[tuple[Job, Append]]


class Appender:
    """Does what waits in one transaction, and leaves it to be committed."""

    def __init__(self) -> None:
        self._masks = Masks()

    def execute(self, connection: sqlite3.Connection, jobs: Sequence[Job]) -> list[Outcome]:
        """Do *jobs*, each whole or not at all; errors of the disk are raised."""
        connection.execute(_BEGIN)
        left = deque((job, job.work) for job in jobs if isinstance(job.work, Append))
        outcomes: list[Outcome] = []
        while left:
            outcomes.extend(self._together(connection, left, is_first=not outcomes))
        outcomes.extend(
            attempt(connection, job, job.work) for job in jobs if not isinstance(job.work, Append)
        )
        return outcomes

    def undone(self) -> None:
        """Forget what was remembered of a transaction that is not committed."""
        self._masks = Masks()

    def _together(
        self, connection: sqlite3.Connection, left: deque[tuple[Job, Append]], *, is_first: bool
    ) -> Iterable[Outcome]:
        """Write the first of *left* that go together, and take them out of it."""
        group = Group(self._masks)
        taken: list[tuple[Job, Append]] = []
        while left and group.take(left[0][1]):
            taken.append(left.popleft())
        # Before the first group there is nothing to keep, and a savepoint copies every page.
        if not is_first:
            connection.execute("SAVEPOINT together")
        try:
            positions = group.write(connection)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not is_mistake(error):
                raise
        else:
            if not is_first:
                connection.execute("RELEASE together")
            return [Outcome(job, end) for (job, _), end in zip(taken, positions, strict=True)]
        if is_first:
            undo(connection)
            connection.execute(_BEGIN)
        else:
            connection.execute("ROLLBACK TO together")
            connection.execute("RELEASE together")
        return self._apart(connection, taken)

    def _apart(self, connection: sqlite3.Connection, taken: _Appends) -> list[Outcome]:
        return [
            attempt(connection, job, functools.partial(self._alone, append))
            for job, append in taken
        ]

    def _alone(self, append: Append, connection: sqlite3.Connection) -> int:
        lost = refusal(connection, append)
        if lost is not None:
            raise lost
        group = Group(self._masks)
        group.take(append)
        try:
            (position,) = group.write(connection)
        except LostError as error:
            raise mistaken(error) from error
        return position
