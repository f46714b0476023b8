"""
A file as rows of cells, each with the line it begins on.

Whatever the file holds, memory is bounded: lines, cells and the text within quotation marks have a
length that they may not exceed. A row that cannot be read is told and left out; the next one is
read as if nothing had happened.
"""

from __future__ import annotations

import csv
import hashlib
import io

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import attrs

from clientela.adapters.imports.mapping import Column, FileShape


LINE_LENGTH_MAX = 65_536
"""Characters of a line."""

CELLS_MAX = 1_000
"""Cells of a row."""

DIGEST_CHUNK_BYTES = 1_048_576


class FileUnreadableError(Exception):
    """A file cannot be read as its mapping says."""


class RowError(Exception):
    """
    A row cannot be used.

    Attributes:
        reason: Why, a stable word.

        text: What was expected, without what was there.
    """

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        self.text = text
        super().__init__(f"{reason}: {text}")


@attrs.frozen
class Row:
    """
    One row.

    Attributes:
        line: The line it begins on, from 1, the header counted.

        cells: Their text, without blanks around it.
    """

    line: int
    cells: Sequence[str] = attrs.field(repr=False)


@attrs.frozen
class BadRow:
    """
    A row that could not be read.

    Attributes:
        line: The line it begins on.

        error: Why.
    """

    line: int
    error: RowError


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(DIGEST_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class Table:
    """
    A file being read.

    Args:
        file: Its text.

        shape: How it is written.

    Raises:
        FileUnreadableError: there is no header where there should be one.
    """

    def __init__(self, file: TextIO, shape: FileShape) -> None:
        self._lines = _Lines(file)
        self._shape = shape
        self._rows = self._cells()
        self.heads: Sequence[str] = ()
        if shape.has_header:
            first = next(self._rows, None)
            if not isinstance(first, Row):
                raise FileUnreadableError("the first line names no columns")
            self.heads = first.cells

    def index(self, column: Column) -> int:
        """
        Place of a column in every row, from 0.

        Raises:
            FileUnreadableError: no head, or more than one, is called so.
        """
        if isinstance(column, int):
            return column - 1
        places = [place for place, head in enumerate(self.heads) if head == column]
        if places[1:]:
            raise FileUnreadableError(f"more than one column is called {column!r}")
        if not places:
            raise FileUnreadableError(f"no column is called {column!r}{self._parting()}")
        return places[0]

    def _parting(self) -> str:
        """What to look at where the head is not parted at all."""
        delimiter = self._shape.delimiter
        if delimiter is None or len(self.heads) > 1:
            return ""
        return f"; parted at {delimiter!r} there is one column alone: say [file] delimiter"

    def __iter__(self) -> Iterator[Row | BadRow]:
        """The rows; lines without any text are none."""
        return self._rows

    def _cells(self) -> Iterator[Row | BadRow]:
        read = self._split() if self._shape.delimiter is None else self._delimited()
        while True:
            line = self._lines.count + 1
            try:
                cells = next(read)
            except StopIteration:
                return
            except (csv.Error, _TooLongError):
                self._lines.skip()
                # An open quotation mark may have taken in many lines: each is told.
                for each in range(line, self._lines.count + 1):
                    yield BadRow(each, RowError("MALFORMED", "a row of cells of bounded length"))
                # A generator that raised is over; the reader of csv is none.
                if self._shape.delimiter is None:
                    read = self._split()
                continue
            except UnicodeError as error:
                raise FileUnreadableError(
                    f"line {line}: not {self._shape.encoding}; say the encoding in the mapping"
                ) from error
            if not any(cells):
                continue
            yield _checked(Row(line, [cell.strip() for cell in cells]))

    def _split(self) -> Iterator[list[str]]:
        for line in self._lines:
            yield line.split()

    def _delimited(self) -> Iterator[list[str]]:
        shape = self._shape
        assert shape.delimiter is not None
        return csv.reader(
            self._lines,
            delimiter=shape.delimiter,
            quotechar=shape.quote or None,
            quoting=csv.QUOTE_MINIMAL if shape.quote else csv.QUOTE_NONE,
        )


def opened(path: Path, shape: FileShape) -> TextIO:
    """
    The text of a file, to be closed by the caller.

    Bytes that are not of its encoding become marks that no cell may hold.
    """
    encoding = (
        "utf-8-sig" if shape.encoding.lower().replace("_", "-") == "utf-8" else shape.encoding
    )
    return io.TextIOWrapper(
        path.open("rb"), encoding=encoding, errors="surrogateescape", newline=""
    )


def _checked(row: Row) -> Row | BadRow:
    if len(row.cells) > CELLS_MAX:
        return BadRow(row.line, RowError("MALFORMED", f"at most {CELLS_MAX} cells"))
    if any("\ud800" <= character <= "\udfff" for cell in row.cells for character in cell):
        return BadRow(row.line, RowError("ENCODING", "text of the encoding of the file"))
    return row


class _TooLongError(Exception):
    """A line is longer than any may be."""


class _Lines:
    """Lines of bounded length, counted."""

    def __init__(self, file: TextIO) -> None:
        self._read: Callable[[int], str] = file.readline
        self._is_within_line = False
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._read(LINE_LENGTH_MAX)
        if not line:
            raise StopIteration
        self.count += 1
        if len(line) == LINE_LENGTH_MAX and not line.endswith("\n"):
            self._is_within_line = True
            raise _TooLongError
        return line

    def skip(self) -> None:
        """Leave out the rest of a line that was too long."""
        while self._is_within_line:
            rest = self._read(LINE_LENGTH_MAX)
            self._is_within_line = bool(rest) and not rest.endswith("\n")
