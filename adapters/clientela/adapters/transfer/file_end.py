"""
A SQLite file as an end of a move.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import attrs

from clientela.adapters.sqlite.connection import unavailable
from clientela.adapters.sqlite.opening import open_database
from clientela.adapters.sqlite.values import bucket_of, kek_text, key_row_of
from clientela.adapters.transfer.tables import ROWS_AT_ONCE, TABLES, Row
from clientela.domain.event import Key
from clientela.domain.ids import Blind, Code


_T = TypeVar("_T")

_SELECTS: Mapping[str, str] = {
    "keys": """
SELECT scope, value, kind, id, version, ltrim(fingerprint, '0') FROM keys
WHERE released = 0 ORDER BY scope, value
""",
    "key_rows": "SELECT kind, id, erased, kek_id, wrapped FROM key_rows ORDER BY kind, id",
    "erasures": "SELECT DISTINCT kind, id, scopes FROM erasures ORDER BY kind, id, scopes",
}
"""Where the file keeps rows in another form."""

_INSERTS: Mapping[str, str] = {
    "notes": """
INSERT INTO notes (name, value) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
""",
    "keys": """
INSERT INTO keys (bucket, scope, value, kind, id, version, fingerprint)
VALUES (?, ?, ?, ?, ?, ?, ?)
""",
    "key_rows": "INSERT INTO key_rows (kind, id, erased, kek_id, wrapped) VALUES (?, ?, ?, ?, ?)",
    "key_fence": "INSERT INTO key_fence (one, kek_id) VALUES (1, ?)",
}


@attrs.frozen
class FileEnd:
    """
    An open file, in a transaction.

    Attributes:
        connection: The one that writes.
    """

    connection: sqlite3.Connection

    async def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """The rows of a table, so many at once, in its order."""
        columns, order = TABLES[table].columns, TABLES[table].order
        plain = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {', '.join(order)}"  # noqa: S608
        cursor = await _alone(self.connection.execute, _SELECTS.get(table, plain))
        while page := await _alone(cursor.fetchmany, ROWS_AT_ONCE):
            yield [_read(table, row) for row in page]

    async def write(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        columns = TABLES[table].columns
        marks = ", ".join("?" * len(columns))
        plain = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        kept = [_kept(table, row) for row in rows]
        await _alone(self.connection.executemany, _INSERTS.get(table, plain), kept)


async def _alone(work: Callable[..., _T], *arguments: object) -> _T:
    """
    Have *work* done by a thread. Whoever goes away waits for it all the same: until then it has the
    connection, and would go on writing once the transaction is over.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.wait({working})
    except asyncio.CancelledError:
        while not working.done():
            # Whoever stops a process cancels again what takes a while.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({working})
        working.exception()  # How it ended is nobody's concern.
        raise
    return working.result()


def _read(table: str, row: Row) -> Row:
    if table == "key_rows":
        key_row = key_row_of(row)
        return (*row[:2], key_row.kek_id, key_row.wrapped)
    return row


def _kept(table: str, row: Row) -> Row:
    if table == "keys":
        scope, value = row[:2]
        return (bucket_of(Key(Code(scope), Blind(value))), *row)
    if table == "key_rows":
        kind, id_, kek_id, wrapped = row
        return (kind, id_, int(not wrapped), kek_text(kek_id) if wrapped else "", wrapped)
    return row


@asynccontextmanager
async def file_end(path: Path) -> AsyncGenerator[FileEnd]:
    """
    A file, held by nobody else, from here to the end of the block; made if it is not there.

    What is written is kept when the block ends well, and not at all otherwise.

    Raises:
        StoreUnsuitableError: it must not be used; the message says what to do.

        StoreUnavailableError: the disk does not let it be read or written.
    """
    database = await asyncio.to_thread(open_database, path, "", may_migrate=False)
    try:
        database.writer.execute("BEGIN IMMEDIATE")
        yield FileEnd(database.writer)
        database.writer.execute("COMMIT")
    except sqlite3.Error as error:
        raise unavailable(error) from error
    finally:
        if database.writer.in_transaction:
            database.writer.execute("ROLLBACK")
        await _alone(database.close)
