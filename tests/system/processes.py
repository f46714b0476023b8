"""
Processes of one company over one database, each `clientela serve` with a folder of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import attrs
import grpc.aio

from tests.system.wire import LIMITS, Wire


ROOT = Path(__file__).parents[2]

START_SECONDS_MAX = 90.0
"""For a process to say where it listens, on a busy machine."""

STOP_SECONDS_MAX = 60.0

POLL_SECONDS = 0.05

SERVE = ("clientela.adapters.cli",)
"""What is run: a module and what comes before the verb."""

SILENT = ("--bus", "none")

_numbers = itertools.count(1)
"""Of requests, whichever process they go to."""


@attrs.define
class Branch:
    """
    A process of the company.

    Attributes:
        folder: Its data.

        process: It.
    """

    folder: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def begun(
        cls,
        folder: Path,
        url: str,
        options: Sequence[str] = SILENT,
        program: Sequence[str] = SERVE,
    ) -> Branch:
        """One that starts over the database at *url*."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CLIENTELA_")}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        serve = ("serve", "--port", "0", "--data-dir", str(folder))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *program, *serve, *options],
                cwd=ROOT,
                env={**kept, "CLIENTELA_DATABASE_URL": url},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return cls(folder, process)

    @property
    def log(self) -> str:
        """What it said."""
        return (self.folder / "log").read_text("utf-8")

    def target(self) -> str:
        """Where it listens, as soon as it does."""
        said = self.folder / "service.json"
        deadline = time.monotonic() + START_SECONDS_MAX
        while not said.exists() or json.loads(said.read_text("utf-8"))["pid"] != self.process.pid:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, "the process does not start"
            time.sleep(POLL_SECONDS)
        return str(json.loads(said.read_text("utf-8"))["address"])

    def kill(self) -> None:
        """End it without a warning."""
        self.process.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def halt(self) -> None:
        """Let it stand still."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on where it stood still."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Tell it to end, and see it gone, even if it stands still or is gone already."""
        if self.process.poll() is None:
            self.go_on()
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def branches(
    folder: Path, url: str, count: int, program: Sequence[str] = SERVE
) -> Iterator[tuple[Branch, ...]]:
    """
    *count* processes over the empty database at *url*.

    As operators are told: the first one is started alone, and has its key file copied.
    """
    begun: list[Branch] = []
    try:
        for number in range(count):
            here = folder / f"branch-{number}"
            if begun:
                here.mkdir(mode=0o700)
                shutil.copy2(begun[0].folder / "keys.json", here / "keys.json")
            begun.append(Branch.begun(here, url, program=program))
            if number == 0:
                begun[0].target()
        for branch in begun:
            branch.target()
        yield tuple(begun)
    finally:
        for branch in begun:
            branch.stop()


@asynccontextmanager
async def wired(targets: Sequence[Branch]) -> AsyncIterator[tuple[Wire, ...]]:
    """Calls to each of the processes, as a till."""
    async with AsyncExitStack() as stack:
        yield tuple(
            [
                Wire(
                    await stack.enter_async_context(
                        grpc.aio.insecure_channel(branch.target(), options=LIMITS)
                    ),
                    numbers=_numbers,
                )
                for branch in targets
            ]
        )


async def kept(url: str, statement: str, *values: object) -> Any:
    """The first value that the database answers, asked behind the back of every process."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def comes_true(
    url: str, statement: str, *values: object, seconds: float = START_SECONDS_MAX
) -> bool:
    """Whether the database answers something that is true before so many seconds are over."""
    deadline = time.monotonic() + seconds
    while not await kept(url, statement, *values):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True
