"""
Every store of parked messages there is: a further one is one line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from clientela.adapters.memory_parked import MemoryParked
from clientela.adapters.postgres.parked import PostgresParked
from clientela.adapters.postgres.positions import COUNTER
from clientela.adapters.sqlite.parked import SqliteParked
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.parked import Parked
from tests.adapters import journal_stores


@asynccontextmanager
async def memory(_folder: Path) -> AsyncIterator[Parked]:
    """In memory."""
    yield MemoryParked()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Parked]:
    """In a file."""
    store = await SqliteStore.open(folder / "company.db")
    try:
        yield SqliteParked(store)
    finally:
        await store.close()


@asynccontextmanager
async def postgres(_folder: Path) -> AsyncIterator[Parked]:
    """In PostgreSQL."""
    store = await journal_stores.postgres(COUNTER)
    try:
        yield PostgresParked(store)
    finally:
        await store.close()


PARKED_STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Parked]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "postgres": postgres,
}
