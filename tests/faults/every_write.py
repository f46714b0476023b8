"""
Kill a process at every call that writes, or let that call fail, and check what is left.

    python -m tests.faults.every_write FOLDER

Needs `strace`, and says so when it is not there. Takes minutes: for before a release, not for
every change; `every_statement` is what the tests run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

from pathlib import Path

from tests.faults.history import FORGET_EVERY, Step, faults
from tests.faults.processes import ROOT, steps


CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")

INJECTIONS = {
    "killed": "signal=SIGKILL",
    "an error of the disk": "error=EIO",
    "a full disk": "error=ENOSPC",
}

CALLS_MAX = 10_000
"""Calls after which something is wrong with the counting."""


def main(folder: Path) -> int:
    """Meet every call with every fault; the exit code."""
    strace = shutil.which("strace")
    if strace is None:
        print("strace is not installed: nothing was tried")  # noqa: T201
        return 2
    is_good = True
    for name, injection in INJECTIONS.items():
        for call in CALLS:
            count, found = _meet(strace, folder / f"{name}-{call}", call, injection)
            is_good = is_good and not found
            print(f"{name} at each of {count} {call}:", *(found or ["whole"]), sep="\n  ")  # noqa: T201
    return 0 if is_good else 1


def _meet(strace: str, folder: Path, call: str, injection: str) -> tuple[int, list[str]]:
    """How many calls there were, and what was wrong after one of them failed."""
    found: list[str] = []
    warm = folder / "warm" / "company.db"
    warm.parent.mkdir(parents=True)
    load = [sys.executable, "-m", "tests.faults.load"]
    count = ["--callers", "1", "--steps"]
    before = _told([*load, str(warm), *count, str(FORGET_EVERY - 2)])
    for number in range(1, CALLS_MAX):
        path = folder / str(number) / warm.name
        shutil.copytree(warm.parent, path.parent)
        log = path.parent / "strace"
        inject = f"inject={call}:{injection}:when={number}"
        tracing = [strace, "-f", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", inject]
        told = _told([*tracing, *load, str(path), *count, "2"])
        is_met = "(INJECTED)" in log.read_text() or "SIGKILL" in log.read_text()
        found += [f"at {number}: {fault}" for fault in faults(path, before | told)]
        told |= _told([*load, str(path), *count, "1"])
        found += [f"after {number}: {fault}" for fault in faults(path, before | told)]
        shutil.rmtree(path.parent)
        if not is_met:
            return number - 1, found
    return CALLS_MAX, [*found, "there is no end to it"]


def _told(command: list[str]) -> set[Step]:
    return steps(subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stdout)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
