"""
A service that can be told to die at the worst moment.

    python -m tests.system.mortal FOLDER [--store NAME]

It begins when it is sent a line, and says where it listens on its first one. After SIGUSR1 its
store ends the process, as kill -9 would, at the next commit: when it lasts and nobody was told yet.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time

from pathlib import Path
from typing import Any

import attrs

from clientela.adapters import bootstrap
from clientela.adapters.settings import Settings
from clientela.adapters.sqlite.jobs import Job, Outcome
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.writer import Writer
from clientela.services.rows import Append


@attrs.define
class Doom:
    """
    Whether it is over.

    Attributes:
        is_near: From when on the next commit is the last one.
    """

    is_near: bool = False

    def strike(self) -> None:
        """End the process, if it is over."""
        if self.is_near:
            os.kill(os.getpid(), signal.SIGKILL)


DOOM = Doom()

HASTE_SECONDS = 0.1
"""From an acknowledgement that came too early to the end: long enough for the answer to leave."""


class MortalWriter(Writer):
    """Dies between the commit and its acknowledgement."""

    def _acknowledge(self, outcomes: list[Outcome]) -> None:
        if any(outcome.error is None for outcome in outcomes):
            DOOM.strike()
        super()._acknowledge(outcomes)


class MortalStore(SqliteStore):
    """Keeps everything, whenever it dies."""

    writer = MortalWriter


class TornStore(SqliteStore):
    """Sabotage: writes the answer after the commit, in a transaction of its own."""

    async def append(self, append: Append) -> int:
        """Append in two parts; dies between them."""
        position = await super().append(attrs.evolve(append, answer=None))
        if append.answer is not None:
            DOOM.strike()
            await super().append(Append(expected={}, answer=append.answer))
        return position


class HastyWriter(Writer):
    """Sabotage: acknowledges, then commits; dies between the two."""

    def _execute(self, group: list[Job]) -> list[Outcome]:
        outcomes = super()._execute(group)
        self._resolve(outcomes)
        if DOOM.is_near:
            time.sleep(HASTE_SECONDS)
            DOOM.strike()
        return outcomes


class HastyStore(SqliteStore):
    """Acknowledges what may still be lost."""

    writer = HastyWriter


STORES: dict[str, type[SqliteStore]] = {
    "mortal": MortalStore,
    "torn": TornStore,
    "hasty": HastyStore,
}


async def serve(folder: Path) -> None:
    """Serve until it is over."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _come_near)
    async with bootstrap.serving(Settings(data_dir=folder, port=0)) as running:
        print(running.target, flush=True)  # noqa: T201  # what the parent waits for
        await asyncio.Event().wait()


def _come_near() -> None:
    DOOM.is_near = True


def main(arguments: list[str]) -> None:
    """Run with these arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--store", choices=STORES, default="mortal")
    options = parser.parse_args(arguments)
    composed: Any = bootstrap
    composed.SqliteStore = STORES[options.store]
    if sys.stdin.readline():
        asyncio.run(serve(options.folder))


if __name__ == "__main__":
    main(sys.argv[1:])
