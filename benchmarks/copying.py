"""
Copying: one client's rows put into a store a million times, for clients of other ids.

    one client, made by the company itself -> its rows, table by table -> the same rows, other ids

Commands and read models would take hours for it. What comes out is what they leave: hashes are
chained, positions follow on each other, read models are up to date. Nothing serves the store
meanwhile, and nothing of the copy is synced before the end.
"""

from __future__ import annotations

import sqlite3

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import attrs

from benchmarks.workload import client_name
from clientela.domain.ids import ClientId
from clientela.services.envelope import chained


AT_ONCE = 20_000
"""Clients whose rows are put in together."""

TABLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "journals": ("id", ("kind", "id", "version", "hash", "recorded_at")),
    "events": (
        "id",
        (
            "position",
            "kind",
            "id",
            "version",
            "event_id",
            "append_id",
            "name",
            "occurred_at",
            "recorded_at",
            "body",
            "hash",
        ),
    ),
    "read_rows": ("key", ("model", "key", "body")),
    "read_terms": ("key", ("model", "field", "value", "key")),
}
"""Tables with rows of a client who was registered and nothing else: column of the id, columns."""

EMPTY = ("keys", "key_rows", "masks", "snapshots", "due")
"""Tables with an id in which such a client has no row."""

_POSITION, _BODY, _HASH = 0, 9, 10
"""Places among the columns of `events`."""

_VERSION, _HEAD_HASH = 2, 3
"""Places among the columns of `journals`."""

_LAST = "SELECT max(position) FROM events"

Row = tuple[Any, ...]


@attrs.frozen(kw_only=True)
class Pattern:
    """
    All rows of one client.

    Attributes:
        client_id: The client.

        rows: Its rows by table, events in their order.
    """

    client_id: ClientId
    rows: Mapping[str, Sequence[Row]]

    def copies(self, numbers: Iterable[int], position: int) -> dict[str, list[Row]]:
        """
        Rows by table of the clients of these numbers.

        Args:
            numbers: Of the clients.

            position: Of the last event there is.
        """
        made: dict[str, list[Row]] = {table: [] for table in TABLES}
        for number in numbers:
            renamed = _renaming(self.client_id, client_name(number))
            head = ""
            for event in self.rows["events"]:
                copied = [renamed(value) for value in event]
                position += 1
                head = chained(head, copied[_BODY])
                copied[_POSITION], copied[_HASH] = position, head
                made["events"].append(tuple(copied))
            for journal in self.rows["journals"]:
                copied = [renamed(value) for value in journal]
                if copied[_VERSION]:
                    # A journal without events has no hash: it is there to be locked.
                    copied[_HEAD_HASH] = head
                made["journals"].append(tuple(copied))
            for table in ("read_rows", "read_terms"):
                made[table].extend(tuple(map(renamed, row)) for row in self.rows[table])
        return made


def _renaming(old: str, new: str) -> Callable[[Any], Any]:
    """Puts *new* where *old* stands in a text or in bytes, and leaves other values as they are."""
    old_bytes, new_bytes = old.encode(), new.encode()

    def renamed(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(old, new)
        return value.replace(old_bytes, new_bytes) if isinstance(value, bytes) else value

    return renamed


def _parts(first: int, count: int) -> Iterator[range]:
    for begin in range(first, first + count, AT_ONCE):
        yield range(begin, min(begin + AT_ONCE, first + count))


def _selecting(table: str, mark: str) -> str:
    column, columns = TABLES[table]
    order = "version" if table == "events" else column
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {column} = {mark} ORDER BY {order}"  # noqa: S608 (names of ours)


def _counting(mark: str) -> str:
    """SQL of how many rows a client has where it should have none."""
    counts = (f"(SELECT count(*) FROM {table} WHERE id = {mark})" for table in EMPTY)  # noqa: S608 (names of ours)
    return f"SELECT {' + '.join(counts)}"


class NotPlainError(Exception):
    """The client to be copied has rows that are not copied."""

    def __init__(self) -> None:
        super().__init__(f"copy a client with no row in {', '.join(EMPTY)}")


def copy_in_sqlite(path: Path, pattern: int, first: int, count: int) -> None:
    """
    Copy a client in a file that nothing serves.

    Args:
        path: The file.

        pattern: Number of the client, who was registered without personal values.

        first: Number of the first copy.

        count: How many.

    Raises:
        NotPlainError: the client has rows that are not copied.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        client_id = client_name(pattern)
        marks = [client_id] * len(EMPTY)
        if connection.execute(_counting("?"), marks).fetchone() != (0,):
            raise NotPlainError
        found = {t: connection.execute(_selecting(t, "?"), (client_id,)).fetchall() for t in TABLES}
        shape = Pattern(client_id=client_id, rows=found)
        [position] = connection.execute(_LAST).fetchone()
        for numbers in _parts(first, count):
            connection.execute("BEGIN IMMEDIATE")
            for table, rows in shape.copies(numbers, position).items():
                columns = TABLES[table][1]
                marked = ", ".join("?" * len(columns))
                connection.executemany(
                    f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marked})",  # noqa: S608 (names of ours)
                    rows,
                )
            position += len(numbers) * len(found["events"])
            connection.execute("UPDATE read_models SET position = ?", (position,))
            connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def copy_in_postgres(url: str, pattern: int, first: int, count: int) -> None:
    """
    Copy a client in a database that nothing serves; as in a file.

    Raises:
        NotPlainError: the client has rows that are not copied.
    """
    connection: Any = await asyncpg.connect(url)
    try:
        await connection.execute("SET synchronous_commit = off")
        client_id = client_name(pattern)
        if await connection.fetchval(_counting("$1"), client_id):
            raise NotPlainError
        found = {
            t: [tuple(row) for row in await connection.fetch(_selecting(t, "$1"), client_id)]
            for t in TABLES
        }
        shape = Pattern(client_id=client_id, rows=found)
        position = await connection.fetchval(_LAST)
        for numbers in _parts(first, count):
            async with connection.transaction():
                for table, rows in shape.copies(numbers, position).items():
                    await connection.copy_records_to_table(
                        table, records=rows, columns=TABLES[table][1]
                    )
                position += len(numbers) * len(found["events"])
                await connection.execute("UPDATE read_models SET position = $1", position)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
