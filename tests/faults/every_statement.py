"""
Kill a process at every point of its writing, one after the other, and check what is left.

    python -m tests.faults.every_statement FOLDER

Before and after every statement of the writer, commits and checkpoints included. Prints how many
points there were and every fault found.
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


def main(folder: Path) -> int:
    """Kill at every point; the exit code."""
    is_good = True
    warm = folder / "warm" / "company.db"
    warm.parent.mkdir(parents=True)
    # One caller who is about to erase somebody, so that few steps meet every kind of statement.
    before, status = forked(warm, "--callers", "1", "--steps", str(FORGET_EVERY - 2))
    assert status == 0
    for point in range(1, POINTS_MAX):
        copy = folder / str(point)
        shutil.copytree(warm.parent, copy)
        path = copy / warm.name
        told, status = forked(path, "--callers", "1", "--steps", "3", "--kill-at", str(point))
        for _ in range(2):
            # Once as it was left, once as the next process leaves it.
            found = faults(path, before | told)
            is_good = is_good and not found
            for fault in found:
                print(f"killed at point {point}: {fault}")  # noqa: T201
            _, again = forked(path, "--callers", "1", "--steps", "1")
            assert again == 0
        shutil.rmtree(copy)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            print(f"{point - 1} points")  # noqa: T201
            return 0 if is_good else 1
    return 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
