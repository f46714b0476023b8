"""
Rows of read models in dicts: for trials and tests, gone with the process.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import attrs

from clientela.services.ports import PAGE_MAX
from clientela.services.read_models import Row, Term


@attrs.define
class _Model:
    """
    One read model.

    Attributes:
        position: Up to where it has taken in the journal.

        rows: By key.

        keys: Keys of the rows that have a term.
    """

    position: int = 0
    rows: dict[str, Row] = attrs.field(factory=dict[str, Row])
    keys: dict[Term, set[str]] = attrs.field(factory=lambda: defaultdict[Term, set[str]](set))

    def put(self, key: str, row: Row) -> None:
        """Put a row in the place of what stood there."""
        before = self.rows.get(key)
        for term in before.terms if before else ():
            self.keys[term].discard(key)
            if not self.keys[term]:
                del self.keys[term]
        for term in row.terms:
            self.keys[term].add(key)
        self.rows[key] = row

    def having(self, terms: Sequence[Term]) -> Iterable[str]:
        """Keys of the rows that have all of *terms*, in any order."""
        if not terms:
            return self.rows
        return set[str].intersection(*(self.keys.get(term, set()) for term in terms))


class MemoryReads:
    """Keeps everything in dicts; writes are atomic because nothing awaits inside them."""

    def __init__(self) -> None:
        self._models: defaultdict[str, _Model] = defaultdict(_Model)

    async def position(self, model: str) -> int:
        """Position up to which *model* has taken in the journal; 0 for a new one."""
        return self._models[model].position

    async def rows(self, model: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Bodies of those rows that exist."""
        rows = self._models[model].rows
        return {key: rows[key].body for key in keys if key in rows}

    async def write(self, model: str, position: int, rows: Mapping[str, Row]) -> None:
        """Put rows in and note the position."""
        kept = self._models[model]
        for key, row in rows.items():
            kept.put(key, row)
        kept.position = position

    async def find(
        self, model: str, terms: Sequence[Term], after: str, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        """Rows that have all of *terms*, in order of their keys above *after*, at most *limit*."""
        kept = self._models[model]
        found = sorted(key for key in kept.having(terms) if key > after)
        return [(key, kept.rows[key].body) for key in found[: min(limit, PAGE_MAX)]]

    async def count(self, model: str, field: str) -> Mapping[str, int]:
        """How many rows have each value of *field*; values without any are left out."""
        keys = self._models[model].keys
        return {value: len(each) for (name, value), each in keys.items() if name == field}

    async def terms(self, model: str, keys: Iterable[str]) -> Mapping[str, frozenset[Term]]:
        """All that those rows that exist are found by."""
        rows = self._models[model].rows
        return {key: rows[key].terms for key in keys if key in rows}

    async def drop(self, model: str) -> None:
        """Throw the model away."""
        self._models.pop(model, None)
