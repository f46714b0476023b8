"""
From one end to the other: everything in one transaction of the target, then read back and compared.

    source --rows--> target      a digest of what is read on either side must be the same,
                                 and the chain of every journal must hold where it now is
"""

from __future__ import annotations

import hashlib

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import attrs

from clientela.adapters.sqlite.values import event_of
from clientela.adapters.transfer.file_end import file_end
from clientela.adapters.transfer.tables import TABLES, Row
from clientela.domain.ids import JournalId
from clientela.services.envelope import BrokenChainError, check_chain
from clientela.services.ports import GAPS
from clientela.services.rows import Head
from clientela.services.store_errors import StoreUnsuitableError


OWN_NOTES = frozenset({GAPS, "epoch"})
"""Notes that a target has before anything is moved there."""


class TargetNotEmptyError(StoreUnsuitableError):
    """
    There is something in the target already.

    Attributes:
        table: Where.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(f"the target holds {table} already: name an empty one")


class NothingToMoveError(StoreUnsuitableError):
    """There is no store to be moved."""

    def __init__(self) -> None:
        super().__init__("there is no store to be moved: name its folder or its database")


class CopyDiffersError(StoreUnsuitableError):
    """
    What arrived is not what was sent; nothing of it is kept.

    Attributes:
        table: Where it differs.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            f"{table} did not arrive as it was sent, so nothing was kept: see to the disks of both"
            " machines, then try again"
        )


class DamagedSourceError(StoreUnsuitableError):
    """A journal of the source was damaged before it was moved; nothing of it is kept."""

    def __init__(self, damage: str) -> None:
        super().__init__(f"{damage}, so nothing was moved: run `clientela verify` on the source")


class End(Protocol):
    """A store as an end of a move."""

    def rows(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """The rows of a table, so many at once, in its order."""
        ...

    async def write(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        ...


def is_url(text: str) -> bool:
    """Whether *text* names a database rather than a folder."""
    return text.startswith(("postgresql://", "postgres://"))


@asynccontextmanager
async def end_of(text: str, *, is_target: bool = False) -> AsyncGenerator[End]:
    """
    The store in a database or in a file.

    Args:
        text: URL of a database, or the file.

        is_target: Whether it may be made.

    Raises:
        StoreError: it cannot be used; the message says what to do.
    """
    if is_url(text):
        from clientela.adapters.transfer.server_end import server_end  # noqa: PLC0415

        async with server_end(text, is_target=is_target) as server:
            yield server
    else:
        async with file_end(_file(text, is_target=is_target)) as file:
            yield file


def _file(text: str, *, is_target: bool) -> Path:
    """The file of a store, with a folder to be in."""
    path = Path(text)
    if not is_target and not path.exists():
        raise NothingToMoveError
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


async def move(source: str, target: str) -> Counter[str]:
    """
    Move a store that is not served.

    Args:
        source: URL of a database, or the file; it stays as it is.

        target: Likewise; empty.

    Returns:
        How many rows of each table were moved.

    Raises:
        TargetNotEmptyError: there is something there.

        CopyDiffersError: something was lost on the way; nothing is kept.

        DamagedSourceError: a journal of the source does not hold together; nothing is kept.

        StoreError: an end cannot be used; the message says what to do.
    """
    moved: Counter[str] = Counter()
    async with end_of(source) as here, end_of(target, is_target=True) as there:
        for table in TABLES:
            await _check_empty(there, table)
        for table in TABLES:
            sent = Digest(table)
            async for rows in here.rows(table):
                await there.write(table, rows)
                sent.add(rows)
            moved[table] = sent.count
            arrived = Digest(table)
            async for rows in there.rows(table):
                arrived.add(rows)
            if sent.hex != arrived.hex:
                raise CopyDiffersError(table)
        await _check_chains(there)
    return moved


async def _check_empty(end: End, table: str) -> None:
    async for rows in end.rows(table):
        if table != "notes" or not {row[0] for row in rows} <= OWN_NOTES:
            raise TargetNotEmptyError(table)


async def _check_chains(end: End) -> None:
    heads: dict[JournalId, Head] = {}
    async for rows in end.rows("events"):
        for position, *row in rows:
            event = event_of((*row, position))
            try:
                heads[event.journal] = check_chain([event], heads.get(event.journal))
            except BrokenChainError as error:
                raise DamagedSourceError(str(error)) from error


@attrs.define
class Digest:
    """
    What rows of a table come to.

    Attributes:
        table: Which.

        count: How many rows.
    """

    table: str
    count: int = 0
    _hash: Any = attrs.field(factory=hashlib.sha256, init=False)

    @property
    def hex(self) -> str:
        """SHA-256 over all values."""
        return str(self._hash.hexdigest())

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows in; notes that belong to the target alone are left out."""
        for row in rows:
            if self.table == "notes" and row[0] == GAPS:
                continue
            self.count += 1
            self._hash.update(repr(row).encode())
