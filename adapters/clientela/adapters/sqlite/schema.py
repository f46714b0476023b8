"""
A SQLite database as seen by migrations.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Sequence
from datetime import UTC, datetime

from clientela.adapters.migrations import Applied, Migration
from clientela.adapters.sqlite.connection import transaction
from clientela.adapters.sqlite.values import instant


DIALECT = "sqlite"

_EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'"

_APPLIED = "SELECT number, checksum FROM migrations ORDER BY number"

_REMEMBER = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)"


class SqliteSchema:
    """
    What a database went through.

    Args:
        connection: To the database, with no transaction open.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def applied(self) -> Sequence[Applied]:
        """What it went through, in order."""
        if self._connection.execute(_EXISTS).fetchone() is None:
            return ()
        rows = self._connection.execute(_APPLIED).fetchall()
        return [Applied(number, checksum) for number, checksum in rows]

    def apply(self, migration: Migration) -> None:
        """Carry out one migration and remember it, in one transaction."""
        with transaction(self._connection):
            for statement in migration.statements:
                self._connection.execute(statement)
            now = instant(datetime.now(UTC))
            self._connection.execute(
                _REMEMBER, (migration.number, migration.name, migration.checksum, now)
            )
