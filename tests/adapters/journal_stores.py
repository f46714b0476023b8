"""
Every journal store there is, each with how to open an empty one: a further store is one line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from clientela.adapters.memory import MemoryStore
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.ports import JournalStore


async def memory(_folder: Path) -> JournalStore:
    return MemoryStore()


async def sqlite(folder: Path) -> JournalStore:
    return await SqliteStore.open(folder / "company.db")


JOURNAL_STORES: dict[str, Callable[[Path], Awaitable[JournalStore]]] = {
    "memory": memory,
    "sqlite": sqlite,
}
