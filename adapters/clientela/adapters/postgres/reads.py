"""
Rows of read models in the database of the journal store.

Several processes may keep one model: a page of events is taken in by whoever is first, and the
others begin again from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from clientela.adapters.postgres import finding, read_rows
from clientela.adapters.postgres.store import PostgresStore
from clientela.services.read_models import Row, Term


class PostgresReads:
    """
    Keeps rows in the database of *store*, as long as that is open.

    Args:
        store: Whose connections do the work.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._seen: dict[str, int] = {}

    async def position(self, model: str) -> int:
        """Position up to which *model* has taken in the journal; 0 for a new one."""
        found = await self._store.ask(lambda c: read_rows.position(c, model))
        self._seen[model] = found
        return found

    async def rows(self, model: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Bodies of those rows that exist."""
        wanted = tuple(keys)
        if not wanted:
            return {}
        return await self._store.ask(lambda c: read_rows.rows(c, model, wanted))

    async def write(self, model: str, position: int, rows: Mapping[str, Row]) -> None:
        """
        Put rows in and note the position, in one transaction.

        Raises:
            ModelMovedError: another process has moved the model on since its position was asked or
                written here.
        """
        taken = dict(rows)
        seen = self._seen[model] if model in self._seen else await self.position(model)
        await self._store.change(lambda c: read_rows.write(c, model, seen, position, taken))
        self._seen[model] = position

    async def find(
        self, model: str, terms: Sequence[Term], after: str, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        """Rows that have all of *terms*, in order of their keys above *after*, at most *limit*."""
        wanted = tuple(terms)
        return await self._store.ask(lambda c: finding.find(c, model, wanted, after, limit))

    async def count(self, model: str, field: str) -> Mapping[str, int]:
        """How many rows have each value of *field*; values without any are left out."""
        return await self._store.ask(lambda c: finding.count(c, model, field))

    async def terms(self, model: str, keys: Iterable[str]) -> Mapping[str, frozenset[Term]]:
        """All that those rows that exist are found by."""
        wanted = tuple(keys)
        return await self._store.ask(lambda c: read_rows.terms(c, model, wanted))

    async def drop(self, model: str) -> None:
        """Throw the model away; it is built anew at the next read."""
        await self._store.change(lambda c: read_rows.drop(c, model))
        self._seen[model] = 0
