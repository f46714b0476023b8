"""
Whoever goes away while PostgreSQL works for them takes nothing along of what others do.
"""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator

import pytest

from clientela.adapters.postgres.changing import write_note
from clientela.adapters.postgres.connections import Connection
from clientela.adapters.postgres.positions import XMIN
from clientela.adapters.postgres.store import PostgresStore
from tests.adapters import postgres_server


NOTE = "note"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Of an empty store."""
    async with postgres_server.database(XMIN) as made:
        yield made


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    """An empty store."""
    opened = await PostgresStore.open(url)
    yield opened
    await opened.close()


@pytest.fixture
async def other(store: PostgresStore, url: str) -> AsyncIterator[PostgresStore]:
    """Another process over the same database."""
    opened = await PostgresStore.open(url)
    yield opened
    await opened.close()


class Leaver:
    """Writes in a transaction, and says when it has come to a point."""

    def __init__(self, point: str) -> None:
        self.point = point
        self._is_there = asyncio.Event()

    async def work(self, connection: Connection) -> None:
        """Go through the points."""
        self._reach("statement")
        await connection.fetchval("SELECT 1")
        self._reach("commit")

    async def leave(self, store: PostgresStore) -> None:
        """Go away when what follows the point is under way."""
        writing = asyncio.create_task(store.change(self.work))
        if self.point == "begin":
            asyncio.get_running_loop().call_soon(self._is_there.set)
        await self._is_there.wait()
        writing.cancel()
        await asyncio.wait({writing})
        assert writing.cancelled()

    def _reach(self, point: str) -> None:
        if point == self.point:
            self._is_there.set()


@pytest.mark.parametrize("point", ["begin", "statement", "commit"])
async def test_who_goes_away_takes_no_write_of_others_along(
    store: PostgresStore, other: PostgresStore, point: str
):
    """
    Design 4: whoever goes away while they write, be it while their transaction begins, takes in
    nothing of what others write next: what those are told is there for everybody.
    """
    await store.note(NOTE, "before")

    await Leaver(point).leave(store)
    await store.note(NOTE, "by one statement")
    assert "by one statement" == await other.note(NOTE)

    await Leaver(point).leave(store)
    await store.change(lambda c: write_note(c, NOTE, "in a transaction"))
    assert "in a transaction" == await other.note(NOTE)
