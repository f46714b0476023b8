"""
Every journal store there is, each with how to open an empty one: a further store is one line.
"""

from __future__ import annotations

import bisect

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

import attrs

from clientela.adapters.memory import MemoryStore
from clientela.adapters.postgres.positions import COUNTER, XMIN, Strategy
from clientela.adapters.postgres.store import PostgresStore
from clientela.adapters.sqlite.erasures import ErasureList
from clientela.adapters.sqlite.store import SqliteStore
from clientela.domain.ids import JournalId
from clientela.services.ports import PAGE_MAX, JournalStore
from clientela.services.rows import Append, AuditRow, Loaded, StoredEvent, Wanted
from tests.adapters import postgres_server


async def memory(_folder: Path) -> JournalStore:
    """In memory."""
    return MemoryStore()


async def sqlite(folder: Path) -> JournalStore:
    """In a file."""
    return await SqliteStore.open(folder / "company.db")


class PassingStore(PostgresStore):
    """Throws its database away when it is closed."""

    database = ""

    async def close(self) -> None:
        await super().close()
        await postgres_server.drop(self.database)


class RankedStore(PassingStore):
    """
    A store whose positions have gaps, seen as if they had none.

    The contract speaks of positions 1, 2, 3 ...: here the rank of a position stands for it, so that
    the same tests say that the order is right and nothing is told twice or left out.
    """

    def __init__(self, url: str, strategy: Strategy, erasures: ErasureList | None = None) -> None:
        super().__init__(url, strategy, erasures)
        self._told: list[int] = []
        self._has_ended = False

    async def load(self, wanted: Wanted) -> Loaded:
        loaded = await super().load(wanted)
        positions = await self._taken("position FROM events")
        tails = {j: _ranked(tail, positions) for j, tail in loaded.tails.items()}
        return attrs.evolve(loaded, tails=tails)

    async def append(self, append: Append) -> int:
        position = await super().append(append)
        bisect.insort(self._told, position)
        return bisect.bisect_right(await self._taken("position FROM events"), position)

    async def read(
        self, journal_id: JournalId, after: int = 0, limit: int = PAGE_MAX
    ) -> Sequence[StoredEvent]:
        rows = await super().read(journal_id, after, limit)
        return _ranked(rows, await self._taken("position FROM events"))

    async def read_all(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[StoredEvent]:
        positions = await self._taken("position FROM events")
        rows = await super().read_all(_at(positions, after), limit)
        return _ranked(rows, await self._taken("position FROM events"))

    async def last_position(self) -> int:
        last = await super().last_position()
        return bisect.bisect_right(await self._taken("position FROM events"), last)

    async def audit(self, after: int = 0, limit: int = PAGE_MAX) -> Sequence[tuple[int, AuditRow]]:
        numbers = await self._taken("number FROM audit")
        rows = await super().audit(_at(numbers, after), limit)
        return [(bisect.bisect_right(numbers, number), row) for number, row in rows]

    async def close(self) -> None:
        self._has_ended = True
        await super().close()

    async def _taken(self, what: str) -> list[int]:
        """What is in use, in order; those told here once the database is gone."""
        if self._has_ended:
            return self._told
        rows = await self.ask(lambda c: c.fetch(f"SELECT {what} ORDER BY 1"))
        return [row[0] for row in rows]


def _at(positions: Sequence[int], rank: int) -> int:
    return positions[min(rank, len(positions)) - 1] if rank and positions else 0


def _ranked(rows: Sequence[StoredEvent], positions: Sequence[int]) -> list[StoredEvent]:
    return [
        attrs.evolve(row, position=bisect.bisect_right(positions, row.position)) for row in rows
    ]


async def postgres_counter(_folder: Path) -> JournalStore:
    """In PostgreSQL, positions counted."""
    return await postgres(COUNTER)


async def postgres_xmin(_folder: Path) -> JournalStore:
    """In PostgreSQL, positions made of transaction ids and told by their ranks."""
    return await postgres(XMIN, RankedStore)


async def postgres(positions: str, kind: type[PassingStore] = PassingStore) -> PassingStore:
    """In a database of its own."""
    name = await postgres_server.create(positions)
    store = await kind.open(postgres_server.shared().get_uri(name))
    store.database = name
    return store


JOURNAL_STORES: dict[str, Callable[[Path], Coroutine[None, None, JournalStore]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "postgres_counter": postgres_counter,
    "postgres_xmin": postgres_xmin,
}
