"""
Rows of read models in the file of the journal store, written by its writer.

Bodies hold sealed values and ids; terms that are keyed hashes leave no byte behind once a row has
lost them: a write by which one does returns only when the log is clear of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from clientela.adapters.sqlite import finding, read_rows
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.read_models import Row, Term


class SqliteReads:
    """
    Keeps rows in the database of *store*, as long as that is open.

    Args:
        store: Whose writer and readers do the work.
    """

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._seen: dict[str, int] = {}

    async def position(self, model: str) -> int:
        """Position up to which *model* has taken in the journal; 0 for a new one."""
        found = await self._store.ask(read_rows.position, model)
        self._seen[model] = found
        return found

    async def rows(self, model: str, keys: Iterable[str]) -> Mapping[str, bytes]:
        """Bodies of those rows that exist."""
        return await self._store.ask(read_rows.rows, model, tuple(keys))

    async def write(self, model: str, position: int, rows: Mapping[str, Row]) -> None:
        """
        Put rows in and note the position, in one transaction.

        Raises:
            ModelMovedError: what somebody who went away had begun to write has landed since the
                position of the model was asked or written here.
        """
        taken = dict(rows)
        seen = self._seen[model] if model in self._seen else await self.position(model)
        await self._store.scrub(
            lambda connection: read_rows.write(connection, model, seen, position, taken)
        )
        self._seen[model] = position

    async def find(
        self, model: str, terms: Sequence[Term], after: str, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        """Rows that have all of *terms*, in order of their keys above *after*, at most *limit*."""
        return await self._store.ask(finding.find, model, tuple(terms), after, limit)

    async def count(self, model: str, field: str) -> Mapping[str, int]:
        """How many rows have each value of *field*; values without any are left out."""
        return await self._store.ask(finding.count, model, field)

    async def terms(self, model: str, keys: Iterable[str]) -> Mapping[str, frozenset[Term]]:
        """All that those rows that exist are found by."""
        return await self._store.ask(read_rows.terms, model, tuple(keys))

    async def drop(self, model: str) -> None:
        """Throw the model away; it is built anew at the next read."""
        await self._store.scrub(lambda connection: read_rows.drop(connection, model))
        self._seen[model] = 0
