"""
A service whose file takes its time: every group of appends waits after its commit.

    python -m benchmarks.slow_service FOLDER [NAME=VALUE ...]
"""

from __future__ import annotations

import time

from typing import Any

from benchmarks.service import main
from clientela.adapters import bootstrap
from clientela.adapters.sqlite.jobs import Outcome
from clientela.adapters.sqlite.store import SqliteStore
from clientela.adapters.sqlite.writer import Writer


SLOWER_SECONDS = 0.005
"""What a commit takes more than it does."""


class SlowWriter(Writer):
    """Waits between a commit and its acknowledgement."""

    def _acknowledge(self, outcomes: list[Outcome]) -> None:
        time.sleep(SLOWER_SECONDS)
        super()._acknowledge(outcomes)


class SlowStore(SqliteStore):
    """Keeps everything, slowly."""

    writer = SlowWriter


if __name__ == "__main__":
    composed: Any = bootstrap
    composed.SqliteStore = SlowStore
    main()
