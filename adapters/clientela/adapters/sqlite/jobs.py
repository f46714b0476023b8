"""
What is handed to the writer, and what comes back.
"""

from __future__ import annotations

import asyncio
import sqlite3

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from clientela.adapters.sqlite.connection import is_mistake
from clientela.adapters.sqlite.erasures import Erasure
from clientela.services.rows import Append
from clientela.services.store_errors import StoreError


Work = Callable[[sqlite3.Connection], Any]
"""Writes something; what it raises is for its caller alone, and undoes it."""


@attrs.define(eq=False)
class Job:
    """
    Something to write.

    Attributes:
        work: Does it, or is what is to be appended.

        future: Where its caller waits.

        erasures: What it erases.

        is_alone: Whether it is done outside any transaction.

        is_scrub: Whether a result that is true says that it overwrote what must vanish.
    """

    work: Work | Append
    future: asyncio.Future[Any]
    erasures: tuple[Erasure, ...] = ()
    is_alone: bool = False
    is_scrub: bool = False


@attrs.frozen
class Outcome:
    """
    How a job ended.

    Attributes:
        job: Which.

        result: What its work returned.

        error: Why it had no effect, if it had none.
    """

    job: Job
    result: Any = None
    error: Exception | None = None

    @property
    def must_vanish(self) -> bool:
        """Whether the log holds something because of it that must be gone before it is told."""
        if self.error is not None:
            return False
        return bool(self.job.erasures) or (self.job.is_scrub and bool(self.result))


def tell(outcomes: Iterable[Outcome]) -> None:
    """Wake the callers that still wait; on their own thread."""
    for outcome in outcomes:
        future = outcome.job.future
        if future.done():
            continue
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.result)


def attempt(connection: sqlite3.Connection, job: Job, work: Work) -> Outcome:
    """Do one job in the open transaction, whole or not at all; errors of the disk are raised."""
    connection.execute("SAVEPOINT job")
    try:
        outcome = Outcome(job, work(connection))
    except sqlite3.Error as error:
        if not is_mistake(error):
            raise
        outcome = Outcome(job, error=mistaken(error))
    except Exception as error:  # noqa: BLE001  It is its caller's.
        outcome = Outcome(job, error=error)
    if outcome.error is not None:
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")
    return outcome


def mistaken(error: Exception) -> StoreError:
    """What the caller learns whose rows no constraint lets in."""
    mistake = StoreError("a row contradicts what is stored")
    mistake.__cause__ = error
    return mistake
