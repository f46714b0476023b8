"""
Processes that a benchmark starts: their CPU time, their memory, their end.

Each is ended by its own id and no other is touched. Figures come from /proc, so this is for Linux.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


STOP_SECONDS = 20.0
"""How long a process may take to end when it is told to."""

READY = "READY "
"""How a child's line begins when it is ready, and what it says then as JSON."""

RESULT = "RESULT "
"""How a child's line begins that tells what it measured, as JSON."""

LINES_MAX = 1_000
"""Other lines a child may print before the one that is waited for."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ChildError(Exception):
    """A child ended, or went on talking, without saying what was waited for."""

    def __init__(self, module: str) -> None:
        super().__init__(f"{module} did not come to what it was started for; see its log")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of its children that have ended; 0 when it is gone."""
    own = _stat(pid)
    return sum(own[1:]) / _TICKS if own else 0.0


def tree_cpu_seconds(pid: int) -> float:
    """CPU time of a process, of its children that live and of those that have ended."""
    total = cpu_seconds(pid)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            found = _stat(int(entry.name))
            if found and found[0] == pid:
                total += sum(found[1:]) / _TICKS
    return total


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _stat(pid: int) -> tuple[int, ...]:
    """Parent, and the four CPU times in ticks; nothing when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    fields = text[text.rindex(")") + 2 :].split()
    return (int(fields[1]), *(int(ticks) for ticks in fields[11:15]))


@contextmanager
def child(module: str, *arguments: object, log: Path) -> Generator[subprocess.Popen[str]]:
    """
    A child that runs *module* of this folder, ended at the end of the block.

    Args:
        module: Its name, for instance `benchmarks.caller`.

        arguments: Of its command line.

        log: Where its standard error goes.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with log.open("a") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603 (our own module)
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """Tell a child to end, and end it if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait(STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def told(process: subprocess.Popen[str], mark: str) -> Any:
    """
    What a child says behind *mark*.

    Raises:
        ChildError: it does not say it.
    """
    lines: IO[str] | None = process.stdout
    assert lines is not None
    for _ in range(LINES_MAX):
        line = lines.readline()
        if line.startswith(mark):
            return json.loads(line[len(mark) :])
        if not line:
            break
    raise ChildError(str(process.args))


def tell(mark: str, what: object) -> None:
    """Say to the parent what *mark* stands for."""
    print(mark + json.dumps(what), flush=True)
