"""
What is handed to the writer, and what comes back.
"""

from __future__ import annotations

import asyncio
import sqlite3

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from clientela.adapters.sqlite.erasures import Erasure


@attrs.define(eq=False)
class Job:
    """
    Something to write.

    Attributes:
        work: Does it; what it raises is for its caller alone, and undoes it.

        future: Where its caller waits.

        erasures: What it erases.

        is_alone: Whether it is done outside any transaction.

        is_scrub: Whether a result that is true says that it overwrote what must vanish.
    """

    work: Callable[[sqlite3.Connection], Any]
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
