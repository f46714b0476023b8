"""
The contract of positions; every place they are kept in passes all of it.
"""

from __future__ import annotations

import asyncio
import sqlite3

from contextlib import asynccontextmanager

import asyncpg
import pytest

from clientela.sdk import PostgresPositions, SqlitePositions
from clientela.sdk.positions import EpochChangedError, Position, PositionMovedError
from tests.adapters.postgres_server import database


PETRA, PAVEL = "client/petra", "client/pavel"
EFFECTS = "CREATE TABLE IF NOT EXISTS effects (journal TEXT, version BIGINT)"


class InSqlite:
    """Positions and effects in a file."""

    def __init__(self, path):
        self.positions = SqlitePositions(path, "ledger")
        self.positions.connection.execute(EFFECTS)

    async def note(self, work, journal, version):
        work.connection.execute("INSERT INTO effects VALUES (?, ?)", (journal, version))

    async def effects(self):
        rows = self.positions.connection.execute("SELECT journal, version FROM effects")
        return sorted(rows)


class InPostgres:
    """Positions and effects in a database."""

    def __init__(self, pool):
        self.pool = pool
        self.positions = PostgresPositions(pool, "ledger")

    async def note(self, work, journal, version):
        await work.connection.execute("INSERT INTO effects VALUES ($1, $2)", journal, version)

    async def effects(self):
        return sorted(map(tuple, await self.pool.fetch("SELECT journal, version FROM effects")))


@asynccontextmanager
async def sqlite(folder):
    """In a SQLite file."""
    made = InSqlite(folder / "ledger.db")
    try:
        yield made
    finally:
        made.positions.close()


@asynccontextmanager
async def postgres(_folder):
    """In a PostgreSQL database."""
    async with database() as url, asyncpg.create_pool(url, min_size=1, max_size=4) as pool:
        made = InPostgres(pool)
        await made.positions.create()
        await made.positions.create()
        await pool.execute(EFFECTS)
        yield made


@pytest.fixture(params=[sqlite, postgres], ids=lambda opened: opened.__name__)
async def kept(request, tmp_path):
    """Empty positions of each kind."""
    async with request.param(tmp_path) as made:
        yield made


async def advance(kept, journal, known, to):
    """Move a journal on, with an effect."""
    async with kept.positions.work() as work:
        await work.advance(journal, known, to)
        await kept.note(work, journal, to)


async def test_nothing_is_known_at_first(kept):
    """
    A new consumer knows no journal and has parked none.
    """
    assert {} == dict(await kept.positions.known([PETRA]))
    assert {} == dict(await kept.positions.parked())


async def test_position_and_effect_are_kept_together(kept):
    """
    R14: a journal's version and the effect are there after the block, for those asked about.
    """
    await advance(kept, PETRA, 0, 1)
    await advance(kept, PETRA, 1, 4)
    await advance(kept, PAVEL, 0, 2)

    assert {PETRA: Position(4)} == dict(await kept.positions.known([PETRA, "client/lena"]))
    assert [(PAVEL, 2), (PETRA, 1), (PETRA, 4)] == await kept.effects()


async def visit(positions):
    """Move a journal on, with a visit."""
    async with positions.work() as work:
        await work.advance(PETRA, 0, 1)
        work.connection.execute("INSERT INTO visits VALUES ('petra')")


async def test_effect_that_cannot_be_committed_leaves_nothing_open(tmp_path):
    """
    R14: what only the commit finds wrong undoes the block whole; the next one begins anew.
    """
    async with sqlite(tmp_path) as kept:
        connection = kept.positions.connection
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("CREATE TABLE clients (id TEXT PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE visits (client TEXT REFERENCES clients DEFERRABLE INITIALLY DEFERRED)"
        )
        with pytest.raises(sqlite3.IntegrityError):
            await visit(kept.positions)
        await advance(kept, PETRA, 0, 2)

        assert {PETRA: Position(2)} == dict(await kept.positions.known([PETRA]))


async def test_position_that_has_moved_is_not_moved_again(kept):
    """
    R14: who comes from a version that is no longer the journal's is told so, and undone whole.
    """
    await advance(kept, PETRA, 0, 3)
    with pytest.raises(PositionMovedError):
        await advance(kept, PETRA, 0, 1)
    with pytest.raises(PositionMovedError):
        await advance(kept, PETRA, 4, 5)

    assert {PETRA: Position(3)} == dict(await kept.positions.known([PETRA]))
    assert [(PETRA, 3)] == await kept.effects()


class SpoiltError(Exception):
    """What a handler raises."""


async def partly(kept):
    """A transaction one part of which fails."""
    async with kept.positions.work() as work:
        async with work.part():
            await work.advance(PETRA, 0, 1)
            await kept.note(work, PETRA, 1)
        with pytest.raises(SpoiltError):
            await spoilt(kept, work)
        async with work.part():
            await work.advance(PAVEL, 0, 1)


async def spoilt(kept, work):
    """A part that fails."""
    async with work.part():
        await work.advance(PAVEL, 0, 9)
        await kept.note(work, PAVEL, 9)
        raise SpoiltError


async def test_part_that_fails_is_undone_alone(kept):
    """
    G17: what fails in one journal undoes neither what was before nor what comes after it.
    """
    await partly(kept)

    assert {PETRA: Position(1), PAVEL: Position(1)} == dict(
        await kept.positions.known([PETRA, PAVEL])
    )
    assert [(PETRA, 1)] == await kept.effects()


async def test_block_that_fails_leaves_nothing(kept):
    """
    F10: a transaction that fails leaves neither effect nor position.
    """
    with pytest.raises(SpoiltError):
        await failed(kept)

    assert ({}, []) == (dict(await kept.positions.known([PETRA])), await kept.effects())


async def failed(kept):
    """A transaction that fails at its end."""
    async with kept.positions.work() as work:
        await work.advance(PETRA, 0, 1)
        await kept.note(work, PETRA, 1)
        raise SpoiltError


async def test_parked_journal_stands_until_it_is_resumed(kept):
    """
    G17: a parked journal is listed with its reason and cannot be moved on until it is resumed.
    """
    await advance(kept, PETRA, 0, 2)
    async with kept.positions.work() as work:
        await work.park(PETRA, "SpoiltError")
        await work.park(PAVEL, "SpoiltError")
    parked = {PETRA: Position(2, "SpoiltError"), PAVEL: Position(0, "SpoiltError")}
    assert parked == dict(await kept.positions.parked())
    with pytest.raises(PositionMovedError):
        await advance(kept, PETRA, 2, 3)

    await kept.positions.resume(PETRA)
    await advance(kept, PETRA, 2, 3)
    assert {PAVEL: parked[PAVEL]} == dict(await kept.positions.parked())


async def test_positions_are_of_one_life_of_the_store(kept):
    """
    F24: the first life kept stays for ever; a transaction in another one is undone whole.
    """
    assert "" == await kept.positions.epoch()
    await lived(kept, "1-a", 1)
    await lived(kept, "1-a", 2)
    with pytest.raises(EpochChangedError):
        await lived(kept, "2-b", 3)

    assert "1-a" == await kept.positions.epoch()
    assert {PETRA: Position(2)} == dict(await kept.positions.known([PETRA]))


async def lived(kept, epoch, to):
    """Move a journal on in a life of the store."""
    async with kept.positions.work() as work:
        await work.advance(PETRA, to - 1, to)
        await work.keep_epoch(epoch)


async def test_of_processes_that_race_one_applies(tmp_path):
    """
    R14: of eight processes of one consumer that apply the same event, one does.
    """
    async with postgres(tmp_path) as kept:
        came = await asyncio.gather(
            *(advance(kept, PETRA, 0, 1) for _ in range(8)), return_exceptions=True
        )

        assert 7 == sum(isinstance(each, PositionMovedError) for each in came)
        assert [(PETRA, 1)] == await kept.effects()
