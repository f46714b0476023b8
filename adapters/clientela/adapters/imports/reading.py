"""
A file to its entries.
"""

from __future__ import annotations

import contextlib

from collections.abc import Iterator
from pathlib import Path

import attrs

from clientela.adapters.imports.entries import Entry
from clientela.adapters.imports.grouping import grouped
from clientela.adapters.imports.lines import BadRow, Row, RowError, Table, digest_of, opened
from clientela.adapters.imports.mapping import FileMapping
from clientela.adapters.imports.rows import Part, RowReader


@attrs.frozen(kw_only=True)
class Source:
    """
    A file and what its columns mean.

    Attributes:
        path: The file.

        mapping: What columns mean.

        digest: SHA-256 of the file, hex.
    """

    path: Path
    mapping: FileMapping
    digest: str

    @classmethod
    def of(cls, path: Path, mapping: FileMapping) -> Source:
        """
        The file at *path*.

        Raises:
            OSError: it cannot be read.
        """
        return cls(path=path, mapping=mapping, digest=digest_of(path))

    def entries(self) -> Iterator[Entry | BadRow]:
        """
        What the file tells of, in the order of its rows, and the rows that cannot be used.

        Raises:
            FileUnreadableError: a column is not there, or the text is of another encoding.

            OSError: it cannot be read.
        """
        with contextlib.closing(opened(self.path, self.mapping.shape)) as file:
            table = Table(file, self.mapping.shape)
            reader = RowReader(self.mapping, table, self.digest)
            parts = (_part(reader, row) for row in table)
            yield from grouped(parts, self.mapping)


def _part(reader: RowReader, row: Row | BadRow) -> Part | BadRow:
    if isinstance(row, BadRow):
        return row
    try:
        return reader.part(row)
    except RowError as error:
        return BadRow(row.line, error)
