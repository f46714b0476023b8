"""
What became of every row of an import; the file of rejects.
"""

from __future__ import annotations

import csv

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import attrs


@attrs.define(kw_only=True)
class Tally:
    """
    Rows counted by what became of them; each is counted once.

    Attributes:
        recorded: Rows that changed something.

        already: Rows that were there already.

        unsure: Rows whose answer was lost and that were found recorded when they were sent again:
            by this run, or by one before.

        rejected: Rows that were not taken, by reason.

        entries: Entries recorded or there already, by what they are.

        clients: Clients registered on the way.

        clients_unsure: Clients registered on the way, or before, whose answer was lost likewise.

        unmatched_lines: Returned lines whose purchase is not known.
    """

    recorded: int = 0
    already: int = 0
    unsure: int = 0
    rejected: Counter[str] = attrs.field(factory=Counter[str])
    entries: Counter[str] = attrs.field(factory=Counter[str])
    clients: int = 0
    clients_unsure: int = 0
    unmatched_lines: int = 0

    @property
    def rows(self) -> int:
        """All rows."""
        return self.recorded + self.already + self.unsure + self.rejected.total()

    def plain(self, seconds: float) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "rows": self.rows,
            "recorded": self.recorded,
            "already_there": self.already,
            "recorded_now_or_before": self.unsure,
            "rejected": dict(sorted(self.rejected.items())),
            "entries": dict(sorted(self.entries.items())),
            "clients_registered": self.clients,
            "clients_now_or_before": self.clients_unsure,
            "unmatched_lines": self.unmatched_lines,
            "seconds": round(seconds, 3),
            "rows_per_second": round(self.rows / seconds, 1) if seconds > 0 else 0.0,
        }


class Rejects:
    """
    The file of rejects: file, line, reason, what was expected. Never what was there.

    Args:
        out: Where to; None for nowhere.

        name: Name of the file that is imported.
    """

    def __init__(self, out: TextIO | None, name: str) -> None:
        self._writer = None if out is None else csv.writer(out, lineterminator="\n")
        self._name = name
        if self._writer is not None:
            self._writer.writerow(("file", "line", "reason", "expected"))

    def write(self, line: int, reason: str, expected: str) -> None:
        """Write one row that was not taken."""
        if self._writer is not None:
            self._writer.writerow((self._name, line, reason, expected))


@contextmanager
def rejects_to(path: Path | None, name: str) -> Generator[Rejects]:
    """
    The rejects of the file *name*, written to *path*, which is put anew; None for nowhere.

    Raises:
        OSError: it cannot be written.
    """
    if path is None:
        yield Rejects(None, name)
        return
    with path.open("w", encoding="utf-8", newline="") as out:
        yield Rejects(out, name)
