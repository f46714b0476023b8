"""
Another key-encryption key for every row, whatever happens meanwhile.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from clientela.adapters.keys.failures import (
    KekRetiredError,
    KekUnknownError,
    KeyRowBrokenError,
    RotationStuckError,
)
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.keyring import fresh_keyring
from clientela.adapters.keys.rotation import rewrapped, rotate
from clientela.adapters.keys.rows import KeyChanges, KeyRow, MemoryKeys, erased_row
from clientela.adapters.keys.secret import Secret
from clientela.domain.ids import ClientId, client_journal
from tests.adapters.keys.company import AT, LATER, OLGA, PETRA
from tests.leak.scanner import Scanner


@pytest.fixture
def path(tmp_path):
    """
    Where the key file is.
    """
    return tmp_path / "data" / "keys.json"


class Company:
    """
    A key file and a table of rows, which can be told to crash at the nth step.
    """

    def __init__(self, path: Path, persons: int) -> None:
        self.file = KeyFile(path, lambda: AT)
        ring = self.file.create()
        self.table = MemoryKeys(ring.current.id)
        self.keys = {client_journal(ClientId(f"c{n}")): Secret.fresh() for n in range(persons)}
        self.table.apply(KeyChanges(tuple(ring.wrap(p, key) for p, key in self.keys.items())))
        self.steps_left = 10_000

    def rotate(self, steps: int = 10_000):
        self.steps_left = steps
        return rotate(self, self, LATER, batch_max=2)

    def step(self) -> None:
        if self.steps_left == 0:
            raise PowerCutError
        self.steps_left -= 1

    def load(self):
        return self.file.load()

    def create(self):
        return self.file.create()

    def replace(self, old, new):
        self.step()
        self.file.replace(old, new)
        self.step()

    def find(self, person):
        return self.table.find(person)

    def fence(self, kek_id, retiring):
        self.step()
        self.table.fence(kek_id, retiring)

    def stale(self, kek_id, limit):
        return self.table.stale(kek_id, limit)

    def rewrap(self, pairs):
        self.step()
        replaced = self.table.rewrap(pairs)
        self.step()
        return replaced

    def all_open(self) -> bool:
        """
        Whether every person's key can be had with the key file as it is.
        """
        ring = self.file.load()
        rows = {person: self.table.find(person) for person in self.keys}
        return all(row and ring.unwrap(row) == self.keys[row.person] for row in rows.values())


class PowerCutError(Exception):
    pass


def test_rotation_wraps_every_key_anew_and_destroys_the_old_one(path):
    """
    S8: after a rotation rows unwrap with the new key only, and the old one is in no file.
    """
    company = Company(path, persons=5)
    before = company.file.load()
    copies = [company.table.find(person) for person in company.keys]

    done = company.rotate()

    after = company.file.load()
    assert (after.current.id, 5, False) == (done.kek_id, done.rewrapped, done.resumed)
    assert (before.lookup, before.company, None) == (after.lookup, after.company, after.retiring)
    assert company.all_open()
    assert () == Scanner({}, {"old": before.current.key.reveal()}).in_tree(path.parent)
    for row in copies:
        assert row
        with pytest.raises(KekUnknownError):
            after.unwrap(row)


def test_rotation_cut_at_any_step_goes_on_where_it_stopped(path, tmp_path):
    """
    S8: whenever the power goes, every key is still there, and the next call finishes the rotation.
    """
    steps = 0
    while True:
        company = Company(tmp_path / str(steps) / "keys.json", persons=5)
        try:
            company.rotate(steps)
            break
        except PowerCutError:
            assert company.all_open()
        begun = company.file.load().current
        done = company.rotate()
        after = company.file.load()
        assert company.all_open()
        assert after.retiring is None
        assert () == company.table.stale(after.current.id, 10)
        if done.resumed:
            assert begun == after.current
        steps += 1

    assert 11 == steps


def test_erased_key_stays_erased_through_a_rotation():
    """
    S8: a key destroyed while its row is being wrapped anew does not come back.
    """
    ring = fresh_keyring(AT)
    table = MemoryKeys(ring.current.id)
    table.apply(KeyChanges(tuple(ring.wrap(p, Secret.fresh()) for p in (PETRA, OLGA))))
    new = ring.begun(LATER)
    pairs = rewrapped(new, table.stale(new.current.id, 10))
    table.apply(KeyChanges(forgotten=(PETRA,)))

    assert 1 == table.rewrap(pairs)
    assert erased_row(PETRA) == table.find(PETRA)
    assert () == table.stale(new.current.id, 10)


def test_row_wrapped_before_a_rotation_is_not_taken_after_it(path):
    """
    A process that has not heard of the rotation is refused; its row would be lost with the old key.
    """
    company = Company(path, persons=1)
    before = company.file.load()
    company.rotate()

    with pytest.raises(KekRetiredError, match=before.current.id):
        company.table.apply(KeyChanges((before.wrap(PETRA, Secret.fresh()),)))


def test_overtaken_rotation_does_not_move_the_fence_back(path):
    """
    One that slept while a later rotation began is refused before it can do harm.
    """
    company = Company(path, persons=1)
    with pytest.raises(PowerCutError):
        company.rotate(2)
    slept = company.file.load()
    assert slept.retiring
    company.rotate()
    company.rotate()

    with pytest.raises(KekRetiredError):
        company.table.fence(slept.current.id, slept.retiring.id)


def test_row_that_does_not_unwrap_stops_the_rotation(path):
    """
    Nothing is destroyed over a damaged row: the rotation stops, both keys stay.
    """
    company = Company(path, persons=1)
    ring = company.file.load()
    company.table.apply(KeyChanges((KeyRow(PETRA, ring.current.id, b"\x01" * 61),)))

    with pytest.raises(KeyRowBrokenError, match="client/petra"):
        company.rotate()

    assert ring.current == company.file.load().retiring


def test_table_that_replaces_nothing_is_noticed(path, monkeypatch):
    """
    A rotation is bounded: rows that come up again and again end it, and the old key stays.
    """
    company = Company(path, persons=1)
    monkeypatch.setattr("clientela.adapters.keys.rotation.REWRAP_BATCHES_MAX", 3)
    monkeypatch.setattr(company, "rewrap", lambda _pairs: 0)

    with pytest.raises(RotationStuckError):
        company.rotate()

    assert company.all_open()
