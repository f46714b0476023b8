"""
What is in the file of a store, read without any of the code under test.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time

from pathlib import Path


WAIT_SECONDS_MAX = 600.0

POLL_SECONDS = 0.01

_EVENTS = """
SELECT kind, id, version, name, occurred_at, json_extract(body, '$.payload') FROM events
WHERE kind IN ('client', 'wallet') ORDER BY kind, id, version
"""

_PURCHASES = "SELECT count(*) FROM events WHERE name LIKE 'purchase-recorded.%'"


def journals(data_dir: Path) -> list[tuple[object, ...]]:
    """Every journal of clients and wallets: version, name, moment and payload of each event."""
    with contextlib.closing(sqlite3.connect(data_dir / "clientela.db")) as connection:
        return connection.execute(_EVENTS).fetchall()


def wait_for_purchases(data_dir: Path, count: int) -> None:
    """Return when the store holds so many purchases."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    with contextlib.closing(sqlite3.connect(data_dir / "clientela.db")) as connection:
        while connection.execute(_PURCHASES).fetchone()[0] < count:
            assert time.monotonic() < deadline, "the import does not go on"
            time.sleep(POLL_SECONDS)
