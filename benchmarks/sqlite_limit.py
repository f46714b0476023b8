"""
The bare limit of SQLite: single appends with an outbox row, and groups of them, without Clientela.
"""

from __future__ import annotations

import sqlite3
import time

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from benchmarks.rounds import MICROSECONDS, percentile


BODY = b"x" * 600
"""As long as the body of an event of ours."""

GROUP = 128
"""Rows of one commit where they are appended in groups."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY, stream TEXT NOT NULL, version INTEGER NOT NULL,
    name TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (stream, version)
);
CREATE TABLE IF NOT EXISTS outbox (position INTEGER PRIMARY KEY, stream TEXT NOT NULL);
"""
_EVENT = "INSERT INTO events (stream, version, name, body) VALUES (?, 1, 'purchase-recorded.v1', ?)"
_OUTBOX = "INSERT INTO outbox (stream) VALUES (?)"
_LAST = "SELECT coalesce(max(position), 0) FROM events"


@attrs.frozen(kw_only=True)
class Appended:
    """
    What bare appends took.

    Attributes:
        rate: Rows a second.

        p50: Microseconds that half of the commits took at most.
    """

    rate: float
    p50: float


class SqliteLimit:
    """
    A database with a table of events and an outbox, synchronous FULL.

    Args:
        connection: To it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # The file may be one of an earlier round: names go on where they ended there.
        [self._rows] = connection.execute(_LAST).fetchone()

    def append(self, seconds: float, group: int = 1) -> Appended:
        """Append for *seconds*, *group* rows a commit, each with its outbox row."""
        took: list[float] = []
        begin = start = time.perf_counter()
        first = self._rows
        while start < begin + seconds:
            self._connection.execute("BEGIN IMMEDIATE")
            for _ in range(group):
                self._rows += 1
                stream = f"client/c-{self._rows:012d}"
                self._connection.execute(_EVENT, (stream, BODY))
                self._connection.execute(_OUTBOX, (stream,))
            self._connection.execute("COMMIT")
            end = time.perf_counter()
            took.append(end - start)
            start = end
        return Appended(
            rate=(self._rows - first) / (start - begin), p50=percentile(took, 0.5) * MICROSECONDS
        )


@contextmanager
def sqlite_limit(folder: Path) -> Iterator[SqliteLimit]:
    """A bare database in *folder*, from here to the end of the block."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
        yield SqliteLimit(connection)
