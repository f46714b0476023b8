"""
Positions in a SQLite file, beside the tables of the subscriber.
"""

from __future__ import annotations

import sqlite3

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from clientela.sdk.positions import (
    JOURNALS_MAX,
    PARKED_SHOWN_MAX,
    PROBLEM_LENGTH_MAX,
    EpochChangedError,
    Position,
    PositionMovedError,
)


BUSY_SECONDS = 5.0
"""How long another process may hold the file."""

_TABLE = """
CREATE TABLE IF NOT EXISTS positions (
    consumer TEXT NOT NULL,
    journal TEXT NOT NULL,
    version INTEGER NOT NULL,
    parked TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (consumer, journal)
) WITHOUT ROWID
"""

_EPOCHS = """
CREATE TABLE IF NOT EXISTS position_epochs (
    consumer TEXT NOT NULL PRIMARY KEY,
    epoch TEXT NOT NULL
) WITHOUT ROWID
"""

_EPOCH = "SELECT epoch FROM position_epochs WHERE consumer = ?"

_KEEP_EPOCH = "INSERT INTO position_epochs (consumer, epoch) VALUES (?, ?) ON CONFLICT DO NOTHING"

_KNOWN = "SELECT version, parked FROM positions WHERE consumer = ? AND journal = ?"

_PARKED = """
SELECT journal, version, parked FROM positions WHERE consumer = ? AND parked <> ''
ORDER BY journal LIMIT ?
"""

_BEGIN = (
    "INSERT INTO positions (consumer, journal, version) VALUES (?, ?, 0) ON CONFLICT DO NOTHING"
)

_ADVANCE = """
UPDATE positions SET version = ?
WHERE consumer = ? AND journal = ? AND version = ? AND parked = ''
"""

_PARK = "UPDATE positions SET parked = ? WHERE consumer = ? AND journal = ?"


class SqlitePositions:
    """
    Keeps positions in a SQLite file; one process at a time should consume into it.

    Args:
        path: The file, made if it is not there.

        consumer: Whose positions: 1 to 64 characters; a changed handler that has to begin anew
            takes another name.
    """

    def __init__(self, path: Path | str, consumer: str) -> None:
        self.connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        self._consumer = consumer
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(_TABLE)
        self.connection.execute(_EPOCHS)

    async def epoch(self) -> str:
        """The life of the store that positions are of."""
        row = self.connection.execute(_EPOCH, (self._consumer,)).fetchone()
        return "" if row is None else row[0]

    async def known(self, journals: Iterable[str]) -> Mapping[str, Position]:
        """Positions of those of *journals* that have one."""
        found: dict[str, Position] = {}
        for _, journal in zip(range(JOURNALS_MAX), journals, strict=False):
            row = self.connection.execute(_KNOWN, (self._consumer, journal)).fetchone()
            if row is not None:
                found[journal] = Position(*row)
        return found

    @asynccontextmanager
    async def work(self) -> AsyncGenerator[SqliteWork]:
        """A transaction."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield SqliteWork(self.connection, self._consumer)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    async def parked(self) -> Mapping[str, Position]:
        """Parked journals."""
        rows = self.connection.execute(_PARKED, (self._consumer, PARKED_SHOWN_MAX))
        return {journal: Position(version, parked) for journal, version, parked in rows}

    async def resume(self, journal: str) -> None:
        """Let *journal* go on where it stands."""
        self.connection.execute(_PARK, ("", self._consumer, journal))

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


class SqliteWork:
    """
    One transaction.

    Args:
        connection: In a transaction.

        consumer: Whose positions.
    """

    def __init__(self, connection: sqlite3.Connection, consumer: str) -> None:
        self.connection = connection
        self._consumer = consumer

    @asynccontextmanager
    async def part(self) -> AsyncGenerator[None]:
        """A part that is undone alone."""
        self.connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK TO part")
            self.connection.execute("RELEASE part")
            raise
        self.connection.execute("RELEASE part")

    async def keep_epoch(self, epoch: str) -> None:
        """Note the life that positions are of."""
        self.connection.execute(_KEEP_EPOCH, (self._consumer, epoch))
        [kept] = self.connection.execute(_EPOCH, (self._consumer,)).fetchone()
        if kept != epoch:
            raise EpochChangedError(kept, epoch)

    async def advance(self, journal: str, known: int, to: int) -> None:
        """Note how far *journal* has come."""
        self._begin(journal)
        row = (to, self._consumer, journal, known)
        if self.connection.execute(_ADVANCE, row).rowcount != 1:
            raise PositionMovedError(journal)

    async def park(self, journal: str, problem: str) -> None:
        """Note that nothing more of *journal* is applied."""
        self._begin(journal)
        row = (problem[:PROBLEM_LENGTH_MAX], self._consumer, journal)
        self.connection.execute(_PARK, row)

    def _begin(self, journal: str) -> None:
        self.connection.execute(_BEGIN, (self._consumer, journal))
