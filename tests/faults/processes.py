"""
Processes that are made to die.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from pathlib import Path

from tests.faults.history import Step, step


ROOT = Path(__file__).parents[2]

START_SECONDS_MAX = 60
"""A process that has acknowledged nothing after this has failed to start."""


def load(path: Path, *options: str) -> subprocess.Popen[bytes]:
    """A process that appends."""
    command = [sys.executable, "-m", "tests.faults.load", str(path), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def killed(path: Path, seconds: float, *options: str) -> set[Step]:
    """Kill a process *seconds* after its first acknowledgement; what it was told."""
    with load(path, *options) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        told += process.stdout.read()
    return steps(told)


def steps(told: bytes) -> set[Step]:
    """The steps of whole lines."""
    return {step(line) for line in told[: told.rfind(b"\n") + 1].decode().split()}


def forked(path: Path, *options: str) -> tuple[set[Step], int]:
    """
    Run the load in a fork of this process, which must have no threads: quick to start.

    Returns:
        What it was told, and its wait status.
    """
    from tests.faults.load import main

    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        os._exit(main([str(path), *options]))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return steps(told), status
