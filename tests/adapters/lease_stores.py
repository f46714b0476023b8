"""
Every store of leases there is, each with how to open an empty one: a further one is one line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from clientela.adapters.memory_leases import MemoryLeases
from clientela.adapters.postgres.leases import PostgresLeases
from clientela.adapters.postgres.positions import COUNTER
from clientela.adapters.sqlite.leases import SqliteLeases
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.leases import Leases
from tests.adapters import journal_stores


@asynccontextmanager
async def memory(_folder: Path) -> AsyncIterator[Leases]:
    """In memory."""
    yield MemoryLeases()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Leases]:
    """In a file."""
    store = await SqliteStore.open(folder / "company.db")
    try:
        yield SqliteLeases(store)
    finally:
        await store.close()


@asynccontextmanager
async def postgres(_folder: Path) -> AsyncIterator[Leases]:
    """In PostgreSQL."""
    store = await journal_stores.postgres(COUNTER)
    try:
        yield PostgresLeases(store)
    finally:
        await store.close()


LEASE_STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Leases]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "postgres": postgres,
}
