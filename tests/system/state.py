"""
What a store holds, as somebody else sees it who opens the file.
"""

from __future__ import annotations

import hashlib
import sqlite3

from contextlib import closing
from pathlib import Path


KEPT = (
    "answers",
    "due",
    "erasures",
    "events",
    "journals",
    "key_fence",
    "key_rows",
    "keys",
    "masks",
    "snapshots",
)
"""Tables that only commands and time change; notes, audit and read models change by reading too."""

SECONDS = 30.0
"""How long a look waits for whoever writes."""


def looked_at(folder: Path) -> sqlite3.Connection:
    """The database in *folder*, to be read beside the service that keeps it."""
    return sqlite3.connect(f"file:{folder / 'clientela.db'}?mode=ro", uri=True, timeout=SECONDS)


def state_of(folder: Path) -> str:
    """A hash over every row of `KEPT`: equal states are equal text."""
    digest = hashlib.sha256()
    with closing(looked_at(folder)) as connection:
        connection.execute("BEGIN")
        for table in KEPT:
            digest.update(table.encode())
            for row in sorted(connection.execute(f"SELECT * FROM {table}"), key=repr):  # noqa: S608
                digest.update(repr(row).encode())
    return digest.hexdigest()


def tables_of(folder: Path) -> set[str]:
    """Names of all tables."""
    with closing(looked_at(folder)) as connection:
        return {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")
        }
