"""
A process that appends until it is killed and says what it was told.

    python -m tests.faults.load DATABASE [--callers N] [--steps N] [--sabotage NAME] [--kill-at N]
                                         [--file-limit BYTES]

Each line of its output is one append that was acknowledged, written after the acknowledgement.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import sqlite3
import sys
import time

from pathlib import Path
from typing import Any

import attrs

from clientela.adapters.sqlite.jobs import Job, Outcome
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.writer import Writer
from clientela.services.rows import Append, Head, Wanted
from clientela.services.store_errors import StoreUnavailableError
from tests.faults.history import EVENTS, Step


STOPPED = 3
"""Exit code of a process whose store has stopped for good."""

REFUSED = 4
"""Exit code of a process that was refused by a store that goes on."""


HASTE_SECONDS = 0.01
"""From an acknowledgement that came too early to the commit: long enough to be met by a kill."""


class HastyWriter(Writer):
    """Sabotage: acknowledges, then commits."""

    def _execute(self, group: list[Job]) -> list[Outcome]:
        outcomes = super()._execute(group)
        self._resolve(outcomes)
        time.sleep(HASTE_SECONDS)
        return outcomes


class HastyStore(SqliteStore):
    """Acknowledges what may still be lost."""

    writer = HastyWriter


class TornStore(SqliteStore):
    """Sabotage: writes the answer in a transaction of its own."""

    async def append(self, append: Append) -> int:
        """Append in two parts."""
        position = await super().append(attrs.evolve(append, answer=None))
        await super().append(Append(expected={}, answer=append.answer))
        return position


class UnlistedWriter(Writer):
    """Sabotage: does not list erasures."""

    def _clear(self) -> None:
        self._unlisted.clear()
        super()._clear()


class UnlistedStore(SqliteStore):
    """Forgets whom it erased."""

    writer = UnlistedWriter


SABOTAGES: dict[str, type[SqliteStore]] = {
    "none": SqliteStore,
    "hasty": HastyStore,
    "torn": TornStore,
    "unlisted": UnlistedStore,
}


class MortalConnection:
    """
    A connection that ends the process at the Nth point, as kill -9 would.

    Every statement has two points: before it and after it.
    """

    def __init__(self, connection: sqlite3.Connection, kill_at: int) -> None:
        self._connection = connection
        self._left = kill_at

    def execute(self, *arguments: Any) -> Any:
        """Execute, unless it is over."""
        self._point()
        result = self._connection.execute(*arguments)
        self._point()
        return result

    def executemany(self, *arguments: Any) -> Any:
        """Execute many, unless it is over."""
        self._point()
        result = self._connection.executemany(*arguments)
        self._point()
        return result

    def _point(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


async def caller(store: SqliteStore, number: int, steps: int) -> None:
    """Go on where the journal ends, one append after the other."""
    first = Step(number, 0)
    loaded = await store.load(Wanted(journals=(first.client, first.wallet)))
    heads = dict(loaded.heads)
    begin = heads[first.client].version // EVENTS["client"]
    for i in range(begin, begin + steps):
        step = Step(number, i)
        append = step.append(heads)
        await store.append(append)
        os.write(sys.stdout.fileno(), f"{step}\n".encode())
        heads.update(
            (row.journal, Head(row.version, row.hash, row.recorded_at)) for row in append.events
        )


async def run(options: argparse.Namespace) -> int:
    """Append until it is over; the exit code."""
    store = await SABOTAGES[options.sabotage].open(options.database)
    if options.kill_at:
        sound = store._writer._connection
        mortal: Any = MortalConnection(sound, options.kill_at)
        store._writer._connection = mortal
    if options.file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, options.file_limit))
    callers = (caller(store, number, options.steps) for number in range(options.callers))
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    errors = [outcome for outcome in outcomes if outcome is not None]
    if not store._health.is_good:
        return STOPPED
    await store.close()
    if errors and all(isinstance(error, StoreUnavailableError) for error in errors):
        return REFUSED
    for error in errors:
        raise error
    return 0


def main(arguments: list[str]) -> int:
    """Run with these arguments; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database", type=Path)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--sabotage", choices=SABOTAGES, default="none")
    parser.add_argument("--kill-at", type=int, default=0)
    parser.add_argument("--file-limit", type=int, default=0)
    return asyncio.run(run(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
