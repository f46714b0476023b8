"""
Another key-encryption key for every row, whatever happens meanwhile.
"""

from __future__ import annotations

import contextlib

from pathlib import Path

import pytest

from clientela.adapters.keys import rotation
from clientela.adapters.keys.failures import (
    KekUnknownError,
    KeyFileBusyError,
    KeyRowBrokenError,
    RotationStuckError,
)
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.rotation import Rotation, rewrapped, rotate
from clientela.adapters.keys.secret import Secret
from clientela.adapters.memory import MemoryStore
from clientela.domain.ids import ClientId, client_journal
from clientela.services.key_rows import KeyChanges, KeyRow
from clientela.services.rows import Append
from clientela.services.store_errors import KekRetiredError
from tests.adapters.keys.company import AT, LATER, PETRA
from tests.leak.scanner import Scanner


PERSONS = 5
BATCH = 2


@pytest.fixture
def path(tmp_path):
    """
    Where the key file is.
    """
    return tmp_path / "data" / "keys.json"


class PowerCutError(Exception):
    pass


class Company:
    """
    A key file and a store of rows; the power can be cut before or after any change of either.
    """

    def __init__(self, path: Path) -> None:
        self.file = KeyFile(path, lambda: AT)
        self.store = MemoryStore()
        self.keys = {client_journal(ClientId(f"c{n}")): Secret.fresh() for n in range(PERSONS)}
        self.steps_left = 1_000

    async def begin(self) -> Company:
        ring = self.file.create()
        await self.commit(tuple(ring.wrap(person, key) for person, key in self.keys.items()))
        return self

    async def commit(self, made=(), forgotten=()) -> None:
        await self.store.append(Append(expected={}, keys=KeyChanges(made, forgotten)))

    async def rotate(self, steps: int = 1_000) -> Rotation:
        self.steps_left = steps
        return await rotate(self, self, LATER, batch_max=BATCH)

    async def all_open(self) -> bool:
        """
        Whether every person's key can be had with the key file as it is on disk.
        """
        ring = KeyFile(self.file.path).load()
        rows = [await self.store.key_row(person) for person in self.keys]
        return all(row and ring.unwrap(row) == self.keys[row.person] for row in rows)

    @contextlib.contextmanager
    def step(self):
        for moment in ("before", "after"):
            if self.steps_left == 0:
                raise PowerCutError
            self.steps_left -= 1
            if moment == "before":
                yield

    def load(self):
        return self.file.load()

    def create(self):
        return self.file.create()

    def rotating(self):
        return self.file.rotating()

    def replace(self, old, new):
        with self.step():
            self.file.replace(old, new)

    async def fence_keys(self, kek_id):
        with self.step():
            await self.store.fence_keys(kek_id)

    async def stale_keys(self, kek_id, limit=BATCH):
        return await self.store.stale_keys(kek_id, limit)

    async def rewrap_keys(self, pairs):
        with self.step():
            return await self.store.rewrap_keys(pairs)


async def test_rotation_wraps_every_key_anew_and_destroys_the_old_one(path):
    """
    S8: after a rotation rows unwrap with the new key only, and the old one is in no file.
    """
    company = await Company(path).begin()
    before = company.file.load()
    copies = [await company.store.key_row(person) for person in company.keys]

    done = await company.rotate()

    after = company.file.load()
    assert Rotation(after.current.id, PERSONS, resumed=False) == done
    assert (before.lookup, before.company, None) == (after.lookup, after.company, after.retiring)
    assert (LATER, [path]) == (after.current.made_at, list(path.parent.iterdir()))
    assert await company.all_open()
    assert () == Scanner({}, {"old": before.current.key.reveal()}).in_tree(path.parent)
    for row in copies:
        assert row
        with pytest.raises(KekUnknownError):
            after.unwrap(row)


@pytest.mark.parametrize("steps", range(12))
async def test_rotation_cut_at_any_step_goes_on_where_it_stopped(path, steps):
    """
    S8: whenever the power goes, every key is still there, and the next call finishes the rotation.
    """
    company = await Company(path).begin()
    with pytest.raises(PowerCutError):
        await company.rotate(steps)
    assert await company.all_open()
    begun = company.file.load()

    done = await company.rotate()

    after = company.file.load()
    assert await company.all_open()
    assert (None, begun.retiring is not None) == (after.retiring, done.resumed)
    assert [] == list(await company.store.stale_keys(after.current.id))
    assert not done.resumed or begun.current == after.current


async def test_rotation_takes_the_steps_that_are_cut_above(path):
    """
    The test above cuts at every step there is: two of the key file, the fence, three batches.
    """
    company = await Company(path).begin()

    await company.rotate(12)

    assert 0 == company.steps_left


async def test_erased_key_stays_erased_through_a_rotation(path):
    """
    S8: a key destroyed while its row is being wrapped anew does not come back.
    """
    company = await Company(path).begin()
    new = company.file.load().begun(LATER)
    pairs = rewrapped(new, await company.store.stale_keys(new.current.id))
    gone = next(iter(company.keys))
    await company.commit(forgotten=(gone,))

    assert PERSONS - 1 == await company.store.rewrap_keys(pairs)
    assert KeyRow(gone, "", b"") == await company.store.key_row(gone)
    assert [] == list(await company.store.stale_keys(new.current.id))


async def test_row_wrapped_before_a_rotation_is_not_taken_after_it(path):
    """
    A process that has not heard of the rotation is refused; its row would be lost with the old key.
    """
    company = await Company(path).begin()
    before = company.file.load()
    await company.rotate()

    with pytest.raises(KekRetiredError):
        await company.commit((before.wrap(PETRA, Secret.fresh()),))


async def test_one_rotation_runs_at_a_time(path):
    """
    While one rotation runs, however long it sleeps, another is refused and changes nothing.
    """
    company = await Company(path).begin()
    ring = company.file.load()

    with KeyFile(path).rotating(), pytest.raises(KeyFileBusyError):
        await company.rotate()

    assert ring == company.file.load()


async def test_row_that_does_not_unwrap_stops_the_rotation(path):
    """
    Nothing is destroyed over a damaged row: the rotation stops, both keys stay.
    """
    company = await Company(path).begin()
    ring = company.file.load()
    await company.commit((KeyRow(PETRA, ring.current.id, b"\x01" * 61),))

    with pytest.raises(KeyRowBrokenError, match="client/petra"):
        await company.rotate()

    assert ring.current == company.file.load().retiring
    assert await company.all_open()


class Stubborn(Company):
    """
    One whose store replaces nothing and says so.
    """

    async def rewrap_keys(self, pairs):
        return 0


async def test_store_that_replaces_nothing_is_noticed(path, monkeypatch):
    """
    A rotation is bounded: rows that come up again and again end it, and the old key stays.
    """
    company = await Stubborn(path).begin()
    monkeypatch.setattr(rotation, "REWRAP_BATCHES_MAX", 3)

    with pytest.raises(RotationStuckError):
        await company.rotate()

    assert await company.all_open()
