"""
A writer of SQLite kept busy, so that what is sent meanwhile waits together, or failing.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading

from typing import Any

from clientela.adapters.sqlite.store import SqliteStore


class Gate:
    """Keeps the writer busy, so that what is sent meanwhile waits together."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._is_reached = threading.Event()
        self._is_open = threading.Event()

    async def __aenter__(self) -> None:
        self._waiting = self._store._writer.submit(self._wait)
        await asyncio.to_thread(self._is_reached.wait)

    async def __aexit__(self, *_: object) -> None:
        self._is_open.set()
        await asyncio.gather(self._waiting, return_exceptions=True)

    def _wait(self, _connection: sqlite3.Connection) -> None:
        self._is_reached.set()
        self._is_open.wait()


async def on_writer(store: SqliteStore, statement: str) -> Any:
    """What a statement gives on the connection that writes, outside any transaction."""
    return await store._writer.submit(lambda c: c.execute(statement).fetchone(), is_alone=True)


class FailingConnection:
    """A connection whose statements fail as on a broken disk, from the named one on."""

    def __init__(self, connection: sqlite3.Connection, statement: str, code: int) -> None:
        self._connection = connection
        self._statement = statement
        self._code = code

    def execute(self, statement: str, *arguments: Any) -> Any:
        """Execute, or fail."""
        if statement.startswith(self._statement):
            error = sqlite3.OperationalError("disk I/O error on /secret/path")
            error.sqlite_errorcode = self._code
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        return self._connection.execute(statement, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
