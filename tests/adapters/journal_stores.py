"""
Every journal store there is, each with how to open an empty one: a further store is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path

from clientela.adapters.memory import MemoryStore
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.ports import JournalStore


async def memory(_folder: Path) -> JournalStore:
    """In memory."""
    return MemoryStore()


async def sqlite(folder: Path) -> JournalStore:
    """In a file."""
    return await SqliteStore.open(folder / "company.db")


JOURNAL_STORES: dict[str, Callable[[Path], Coroutine[None, None, JournalStore]]] = {
    "memory": memory,
    "sqlite": sqlite,
}
