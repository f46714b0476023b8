"""
Kill a process at every point of its writing, one after the other, and check what is left.

    python -m tests.faults.every_statement FOLDER [SABOTAGE]

Before and after every statement of the writer, commits and checkpoints included. Prints how many
points there were, or the first faults found.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys

from pathlib import Path

from tests.faults.history import FORGET_EVERY, faults
from tests.faults.processes import forked


POINTS_MAX = 20_000
"""Points after which something is wrong with the counting."""


def main(folder: Path, sabotage: str = "none") -> int:
    """Kill at every point; the exit code."""
    options = ("--callers", "1", "--sabotage", sabotage)
    warm = folder / "warm" / "company.db"
    warm.parent.mkdir(parents=True)
    # Two steps before somebody is erased, so that few steps meet every kind of statement.
    before, status = forked(warm, *options, "--steps", str(FORGET_EVERY - 2))
    assert status == 0
    for point in range(1, POINTS_MAX):
        path = folder / str(point) / warm.name
        shutil.copytree(warm.parent, path.parent)
        told, status = forked(path, *options, "--steps", "2", "--kill-at", str(point))
        found = faults(path, before | told)
        more, again = forked(path, *options, "--steps", "1")
        found += faults(path, before | told | more)
        if found or again != 0:
            print(f"killed at point {point}:", *found, sep="\n")  # noqa: T201
            return 1
        shutil.rmtree(path.parent)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            print(f"{point - 1} points")  # noqa: T201
            return 0
    return 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
