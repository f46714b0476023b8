"""
Many rows by few statements: every call into SQLite lets go of the interpreter and must get it back.
"""

from __future__ import annotations

import functools
import itertools
import sqlite3

from collections.abc import Iterator, Sequence

from clientela.adapters.sqlite.values import Row


ROWS_MAX = 64
"""Rows of one statement; a power of two, as all their numbers are, so that few are prepared."""


def change(connection: sqlite3.Connection, statement: str, rows: Sequence[Row]) -> int:
    """
    Carry out a statement for all of *rows*, all of one width.

    Args:
        connection: That writes.

        statement: Changes rows; `{rows}` stands for some of *rows* as `(?, ...), (?, ...)`.

        rows: What for.

    Returns:
        How many rows were changed.
    """
    return sum(connection.execute(sql, values).rowcount for sql, values in _split(statement, rows))


def find(connection: sqlite3.Connection, question: str, rows: Sequence[Row]) -> list[Row]:
    """What a question finds for all of *rows*; `{rows}` stands for some of them as in `change`."""
    return [
        found
        for sql, values in _split(question, rows)
        for found in connection.execute(sql, values).fetchall()
    ]


def count(connection: sqlite3.Connection, question: str, rows: Sequence[Row]) -> int:
    """The sum of what a question that answers with one number says of all of *rows*."""
    return sum(number for (number,) in find(connection, question, rows))


def _split(statement: str, rows: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    done = 0
    while done < len(rows):
        taken = min(ROWS_MAX, 1 << ((len(rows) - done).bit_length() - 1))
        part = rows[done : done + taken]
        yield (
            _statement(statement, len(part[0]), taken),
            tuple(itertools.chain.from_iterable(part)),
        )
        done += taken


@functools.cache
def _statement(statement: str, width: int, rows: int) -> str:
    places = f"({', '.join('?' * width)})"
    return statement.format(rows=", ".join([places] * rows))
