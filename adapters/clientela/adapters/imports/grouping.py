"""
Rows of one identity to one entry.

Rows of an entry need not stand together: it is complete when none of the next rows belonged to it,
so many as the window of the mapping holds, and all before it are; or at the end of the file.
Entries come in the order of their first rows, so that what happened to a client comes in the order
of the file.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

import attrs

from clientela.adapters.imports.entries import (
    ClientEntry,
    Entry,
    InteractionEntry,
    PurchaseEntry,
    ReturnEntry,
)
from clientela.adapters.imports.lines import BadRow, RowError
from clientela.adapters.imports.mapping import SOURCE_ID, FileMapping, Kind
from clientela.adapters.imports.rows import Part
from clientela.domain.facts import LINES_MAX, BusinessKey


PARTS_MAX = 50_000
"""Rows held back until their entries are complete; the oldest entry ends where there are more."""

_Identity = tuple[str, str, str, bool]


@attrs.define
class _Open:
    """
    An entry that may grow.

    Attributes:
        last: Number of the last row that belonged to it.

        parts: Its rows; none any more once there were too many.

        is_over: Whether there were too many.
    """

    last: int
    parts: list[Part] = attrs.field(factory=list[Part])
    is_over: bool = False


def grouped(parts: Iterable[Part | BadRow], mapping: FileMapping) -> Iterator[Entry | BadRow]:
    """
    Entries of *parts*, and the rows that could not be used, each once.

    Args:
        parts: In the order of the file.

        mapping: Tells what the file tells of, and how far rows of an entry lie apart.
    """
    if mapping.kind in {Kind.CLIENTS, Kind.INTERACTIONS} or not mapping.tells(SOURCE_ID):
        for part in parts:
            yield part if isinstance(part, BadRow) else _entry([part])
        return
    yield from _Window(mapping.window_rows).entries(parts)


class _Window:
    """Entries that may grow, oldest first."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._open: OrderedDict[_Identity, _Open] = OrderedDict()
        self._held = 0

    def entries(self, parts: Iterable[Part | BadRow]) -> Iterator[Entry | BadRow]:
        """Entries in the order of their first rows."""
        for number, part in enumerate(parts):
            if isinstance(part, BadRow):
                yield part
            else:
                yield from self._add(number, part)
            yield from self._complete(number)
        while self._open:
            yield from self._first()

    def _add(self, number: int, part: Part) -> Iterator[BadRow]:
        assert part.key is not None
        identity = (part.key.source, part.key.id, part.client, part.came_back is not None)
        found = self._open.setdefault(identity, _Open(number))
        found.last = number
        found.parts.append(part)
        self._held += 1
        if found.is_over or len(found.parts) > LINES_MAX:
            found.is_over = True
            self._held -= len(found.parts)
            for each in found.parts:
                yield BadRow(each.line, _TOO_MANY)
            found.parts.clear()

    def _complete(self, number: int) -> Iterator[Entry]:
        while self._open:
            oldest = next(iter(self._open.values()))
            if number - oldest.last < self._rows and self._held <= PARTS_MAX:
                return
            yield from self._first()

    def _first(self) -> Iterator[Entry]:
        _, found = self._open.popitem(last=False)
        self._held -= len(found.parts)
        if found.parts:
            yield _entry(found.parts)


_TOO_MANY = RowError("LINES", f"at most {LINES_MAX} rows of one identity")


def _entry(parts: list[Part]) -> Entry:
    """The entry of rows of one identity; what happened is told by the first."""
    first = parts[0]
    if first.key is None:
        return ClientEntry(
            lines=_lines(parts),
            client=first.client,
            when=first.when,
            details=first.texts,
            identifiers=first.identifiers,
        )
    if first.bought is not None:
        return _purchase(parts, first.key)
    if first.came_back is not None:
        return _return(parts, first.key)
    return _interaction(parts, first.key)


def _lines(parts: list[Part]) -> tuple[int, ...]:
    return tuple(part.line for part in parts)


def _purchase(parts: list[Part], key: BusinessKey) -> PurchaseEntry:
    first = parts[0]
    return PurchaseEntry(
        lines=_lines(parts),
        client=first.client,
        when=first.when,
        key=key,
        bought=tuple(part.bought for part in parts if part.bought is not None),
        unit=first.texts["unit"],
        seller=first.texts["seller"],
    )


def _return(parts: list[Part], key: BusinessKey) -> ReturnEntry:
    first = parts[0]
    return ReturnEntry(
        lines=_lines(parts),
        client=first.client,
        when=first.when,
        key=key,
        currency=first.currency,
        wanted=tuple(part.came_back for part in parts if part.came_back is not None),
        unit=first.texts["unit"],
    )


def _interaction(parts: list[Part], key: BusinessKey) -> InteractionEntry:
    first = parts[0]
    return InteractionEntry(
        lines=_lines(parts),
        client=first.client,
        when=first.when,
        key=key,
        channel=first.texts["channel"],
        direction=first.texts["direction"],
        purpose=first.texts["purpose"],
        what=first.texts["kind"],
        employee=first.texts.get("employee", ""),
        note=first.texts.get("note", ""),
    )
