"""
The reader over every way to keep positions, and the vectors for other languages.
"""

from __future__ import annotations

import json
import sqlite3

from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hypothesis import given
from hypothesis import strategies as st

from clientela.sdk.course import Gap
from clientela.sdk.event import Event
from clientela.sdk.message import Announced
from clientela.sdk.positions import EpochChangedError, Position, PositionMovedError
from clientela.sdk.reader import FAILURES_MAX, Reader, Taken
from clientela.sdk.sqlite_positions import SqlitePositions


VECTORS = json.loads(
    (Path(__file__).parents[2] / "examples" / "vectors" / "subscriber.json").read_text("utf-8")
)
PETRA = "client/petra"
PAVEL = "client/pavel"


class PoisonError(Exception):
    """What a handler raises."""


def event(version, journal=PETRA, epoch=""):
    """An event of a journal, told in a life of the store."""
    return Event(
        journal=journal,
        version=version,
        name="noted",
        event_id=f"{journal}-{version}",
        epoch=epoch,
    )


class Ledger:
    """
    A SQLite file with one effect an event, and a service that has some events.

    Args:
        path: The file.

        stored: Last version that the service has; None while it does not answer.

        poison: Journal and version whose handler fails.

        life: Of the service's store.
    """

    def __init__(self, path, stored=0, poison=None, life=""):
        self.stored = stored
        self.life = life
        self.poison = poison
        self.positions = SqlitePositions(path, "ledger")
        self.positions.connection.execute(
            "CREATE TABLE IF NOT EXISTS effects (journal TEXT, version INTEGER)"
        )
        self.reader = Reader(self.positions, self.handle, self.fetch)

    def handle(self, connection, event):
        connection.execute("INSERT INTO effects VALUES (?, ?)", (event.journal, event.version))
        if (event.journal, event.version) == self.poison:
            raise PoisonError

    async def fetch(self, journal, gap):
        if self.stored is None:
            raise ConnectionError
        versions = range(gap.after + 1, min(gap.upto, self.stored) + 1)
        return [event(version, journal, self.life) for version in versions]

    async def stand(self, journal, version):
        async with self.positions.work() as work:
            await work.advance(journal, 0, version)

    def effects(self, journal=PETRA):
        rows = self.positions.connection.execute(
            "SELECT version FROM effects WHERE journal = ? ORDER BY rowid", (journal,)
        )
        return [version for (version,) in rows]


@asynccontextmanager
async def ledger(folder, **options):
    """A ledger, closed at the end."""
    made = Ledger(folder / "ledger.db", **options)
    try:
        yield made
    finally:
        made.positions.close()


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["rule"])
async def test_vectors_for_other_languages(case, tmp_path):
    """
    R14, F24: apply the next, drop the old, fetch the gap, park the poisoned journal, refuse another
    life of the store: the vectors that subscribers in other languages are to pass say what this one
    does.
    """
    poison = (PETRA, case["poison"]) if "poison" in case else None
    options = {"stored": case["stored"], "poison": poison, "life": case.get("service", "")}
    async with ledger(tmp_path, **options) as kept:
        if case["known"]:
            await kept.stand(PETRA, case["known"])
        if "epoch" in case:
            async with kept.positions.work() as work:
                await work.keep_epoch(case["epoch"])
        if case.get("parked"):
            async with kept.positions.work() as work:
                await work.park(PETRA, "PoisonError")
        if case.get("failures"):
            kept.reader._failures[PETRA] = case["failures"]
        taken, refused = await came_to(kept, case)
        position = (await kept.positions.known([PETRA]))[PETRA]

        assert case.get("refused", "") == refused
        assert case.get("keeps", "") == await kept.positions.epoch()
        assert case["applied"] == [version for _, version in taken.applied]
        assert case["applied"] == kept.effects()
        assert case["dropped"] == [version for _, version in taken.dropped]
        assert case["fetched"] == [[gap.after, gap.upto] for _, gap in taken.fetched]
        assert case["later"] == sorted(version for _, version in taken.later)
        assert case["ends"] == position.version
        assert case.get("parks", False) == bool(taken.parked)


async def came_to(kept, case):
    """What came of the messages of a case, and by what reason they were refused."""
    told = case.get("told", {})
    came = [event(version, epoch=told.get(str(version), "")) for version in case["came"]]
    announced = [
        Announced(PETRA, version, told.get(str(version), ""))
        for version in case.get("announced", ())
    ]
    try:
        return await kept.reader.take([*came, *announced]), ""
    except EpochChangedError as error:
        return Taken(), error.reason


async def test_life_is_remembered_and_a_restored_store_refused(tmp_path):
    """
    F24: a reader that took events of one life refuses those of another, before and after a restart
    of its process, and tells both lives; under another name everything is applied anew.
    """
    async with ledger(tmp_path) as kept:
        await kept.reader.take([event(1, epoch="1-a"), event(2, epoch="1-a")])
        again = Reader(kept.positions, kept.handle, kept.fetch)
        for reader in (kept.reader, again):
            with pytest.raises(EpochChangedError) as caught:
                await reader.take([event(1, epoch="2-b")])
            assert ("1-a", "2-b") == (caught.value.known, caught.value.told)
        anew = Reader(SqlitePositions(tmp_path / "ledger.db", "anew"), kept.handle, kept.fetch)
        taken = await anew.take([event(1, epoch="2-b")])

    assert [(PETRA, 1)] == taken.applied


async def test_parked_journal_is_not_resumed_from_another_life(tmp_path):
    """
    F24: what a parked journal has missed is not fetched from a restored store.
    """
    async with ledger(tmp_path, stored=3, poison=(PETRA, 2), life="2-b") as kept:
        for _ in range(FAILURES_MAX):
            await kept.reader.take([event(1, epoch="1-a"), event(2, epoch="1-a")])
        kept.poison = None
        with pytest.raises(EpochChangedError):
            await kept.reader.resume(PETRA)

        assert [1] == kept.effects()


@given(
    batches=st.lists(st.lists(st.integers(1, 8), max_size=6), max_size=6),
    stored=st.integers(0, 8),
)
async def test_effects_are_a_gapless_prefix_whatever_comes(batches, stored, tmp_path_factory):
    """
    G13: duplicated, reordered and lost messages leave each effect once, in order, without a gap.
    """
    folder = tmp_path_factory.mktemp("ledger")
    async with ledger(folder, stored=stored) as kept:
        for batch in batches:
            await kept.reader.take([event(version) for version in batch])
        effects = kept.effects()

    assert list(range(1, len(effects) + 1)) == effects
    reachable = {version for batch in batches for version in batch if version <= stored}
    assert reachable <= set(effects)


async def test_only_the_poisoned_journal_stops(tmp_path):
    """
    G17: a poisoned event parks its journal; the events of others in the same batch are applied.
    """
    async with ledger(tmp_path, poison=(PETRA, 2)) as kept:
        batch = [event(1), event(2), event(3), event(1, PAVEL), event(2, PAVEL)]
        for _ in range(FAILURES_MAX):
            taken = await kept.reader.take(batch)

        assert {PETRA: "PoisonError"} == taken.parked
        assert set() == taken.later
        assert [1] == kept.effects(PETRA)
        assert [1, 2] == kept.effects(PAVEL)
        assert {PETRA: Position(1, "PoisonError")} == dict(await kept.positions.parked())


async def test_resumed_journal_is_fetched_from_where_it_stands(tmp_path):
    """
    G17: a parked journal loses nothing: resumed, it fetches everything that came meanwhile.
    """
    async with ledger(tmp_path, stored=450, poison=(PETRA, 2)) as kept:
        for _ in range(FAILURES_MAX):
            await kept.reader.take([event(1), event(2)])
        await kept.reader.take([event(449), event(450)])
        kept.poison = None
        await kept.reader.resume(PETRA)

        assert list(range(1, 451)) == kept.effects()
        assert {} == dict(await kept.positions.parked())


async def broken_off(kept):
    """A transaction that ends before it is committed."""
    async with kept.positions.work() as work:
        await work.advance(PETRA, 0, 1)
        kept.handle(work.connection, event(1))
        raise KeyboardInterrupt


async def test_effect_and_position_are_one_transaction(tmp_path):
    """
    F10: a transaction that is broken off leaves neither effect nor position; brought again, the
    event is applied once.
    """
    async with ledger(tmp_path) as kept:
        with pytest.raises(KeyboardInterrupt):
            await broken_off(kept)
        assert ([], {}) == (kept.effects(), dict(await kept.positions.known([PETRA])))

        await kept.reader.take([event(1)])
        await kept.reader.take([event(1)])
        assert [1] == kept.effects()


async def test_sabotaged_position_is_seen(tmp_path):
    """
    G13: with positions that forget what was applied the effects double: the checks above can fail.
    """
    async with ledger(tmp_path) as kept:
        await kept.reader.take([event(1)])
        kept.positions.connection.execute("DELETE FROM positions")
        await kept.reader.take([event(1)])

        assert [1, 1] == kept.effects()


async def test_second_process_of_a_consumer_does_not_apply_twice(tmp_path):
    """
    R14: what another process of the same consumer has applied meanwhile is not applied again.
    """
    async with ledger(tmp_path) as first, ledger(tmp_path) as second:
        seen = await second.positions.known([PETRA])
        await first.reader.take([event(1)])
        assert {} == dict(seen)
        with pytest.raises(PositionMovedError):
            await second.stand(PETRA, 1)
        taken = await second.reader.take([event(1), event(2)])

        assert [(PETRA, 2)] == taken.applied
        assert [1, 2] == first.effects()


async def test_failed_commit_counts_no_failure(tmp_path):
    """
    A store that cannot commit says nothing of a journal: nobody is parked for it.
    """
    async with ledger(tmp_path, poison=(PETRA, 1)) as kept:
        kept.positions.connection.execute(
            "CREATE TRIGGER down BEFORE UPDATE ON positions"
            " BEGIN SELECT RAISE(ROLLBACK, 'down'); END"
        )
        for _ in range(FAILURES_MAX + 1):
            with pytest.raises(sqlite3.Error):
                await kept.reader.take([event(1)])

        assert {} == dict(await kept.positions.parked())
        assert {} == kept.reader._failures


async def test_gap_is_asked_for_by_what_bounds_it(tmp_path):
    """
    A gap lies after a known version and goes up to the last one missing.
    """
    asked = []
    async with ledger(tmp_path, stored=9) as kept:
        fetch = kept.fetch

        async def noted(journal, gap):
            asked.append((journal, gap))
            return await fetch(journal, gap)

        await Reader(kept.positions, kept.handle, noted).take([event(4), event(9)])

    assert [(PETRA, Gap(0, 3)), (PETRA, Gap(4, 8))] == asked
