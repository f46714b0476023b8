"""
What the doctor looks at, one thing at a time.
"""

from __future__ import annotations

import socket

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from clientela.adapters.checks.clock import BEHIND_MAX, clock, offset
from clientela.adapters.checks.exposure import exposure, service
from clientela.adapters.checks.file_store import file_store
from clientela.adapters.checks.files import folder, keys
from clientela.adapters.checks.finding import State
from clientela.adapters.checks.machine import SQLITE_SOUND, machine, sqlite
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.keyring import KEK_AGE_DAYS_MAX
from clientela.adapters.settings import Mode, Settings
from clientela.adapters.sqlite.leases import SqliteLeases
from clientela.adapters.sqlite.store import SqliteStore
from clientela.services.rows import Append
from tests.adapters.appends import MARTA, rows


AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
GOOD, POOR, BAD = State


@pytest.fixture
def settings(tmp_path):
    """Of a data folder that is there and empty."""
    tmp_path.chmod(0o700)
    return Settings(data_dir=tmp_path, port=0)


def told(found):
    """State of each thing looked at."""
    return {each.what: each.state for each in found}


@pytest.mark.parametrize(
    ("version", "state"), [((3, 40, 1), POOR), ((3, 51, 2), POOR), (SQLITE_SOUND, GOOD)]
)
def test_an_sqlite_with_the_checkpoint_fault_is_poor(version, state):
    """
    R8: below 3.51.3 there is a warning.
    """
    assert state == sqlite(version).state


def test_the_machine_is_looked_at(settings):
    """
    Python, SQLite and the disk are told of, folder or no folder.
    """
    assert ["python", "sqlite", "disk"] == [each.what for each in machine(settings)]


@pytest.mark.parametrize(("mode", "state"), [(0o700, GOOD), (0o750, POOR), (0o755, POOR)])
def test_a_folder_that_others_look_into_is_poor(settings, mode, state):
    """
    S9: the data folder is for its owner.
    """
    settings.data_dir.chmod(mode)

    assert state == folder(settings).state


def test_a_folder_that_is_none_is_bad(settings):
    """
    What cannot be written cannot be served from.
    """
    settings.data_dir.joinpath("file").touch()

    found = folder(attrs.evolve(settings, data_dir=settings.data_dir / "file"))

    assert BAD == found.state


@pytest.mark.parametrize(("mode", "state"), [(0o600, GOOD), (0o640, BAD), (0o644, BAD)])
def test_keys_are_for_their_owner(settings, mode, state):
    """
    S9, G31: a key file with another mode than 0600 is bad, as serve refuses it.
    """
    KeyFile(settings.key_file, lambda: AT).create()
    settings.key_file.chmod(mode)

    assert state == told(keys(settings, None, is_new=False, now=AT))["keys"]


@pytest.mark.parametrize(("days", "state"), [(0, GOOD), (KEK_AGE_DAYS_MAX, GOOD), (31, POOR)])
def test_an_old_key_is_poor(settings, days, state):
    """
    S8: a key-encryption key older than 30 days is to be rotated.
    """
    KeyFile(settings.key_file, lambda: AT).create()

    found = told(keys(settings, None, is_new=False, now=AT + timedelta(days=days)))

    assert state == found["key age"]


def test_a_rotation_that_was_not_finished_is_poor(settings):
    """
    S8: while two keys stand side by side, the old one opens what it should not any more.
    """
    file = KeyFile(settings.key_file, lambda: AT)
    ring = file.create()
    file.replace(ring, ring.begun(AT))

    assert POOR == told(keys(settings, None, is_new=False, now=AT))["key age"]


def test_keys_of_another_store_are_bad(settings):
    """
    S7: what is sealed with other keys opens with none of these.
    """
    KeyFile(settings.key_file).create()

    assert {"keys": BAD} == told(keys(settings, "of another", is_new=False))


def test_keys_of_another_side_of_a_rotation_are_bad(settings):
    """
    S10: doctor says of them what serve does, and nothing while a rotation is under way.
    """
    file = KeyFile(settings.key_file, lambda: AT)
    before = file.create()
    begun = before.begun(AT)
    file.replace(before, begun)
    midway = told(keys(settings, None, is_new=False, fence=before.current.id, now=AT))
    file.replace(begun, begun.finished())
    after = told(keys(settings, None, is_new=False, fence=before.current.id, now=AT))

    assert {"keys": GOOD, "key age": POOR} == midway
    assert {"keys": BAD} == after


@pytest.mark.parametrize(
    ("ahead", "state"), [(timedelta(), GOOD), (BEHIND_MAX, GOOD), (timedelta(minutes=1), BAD)]
)
def test_a_clock_behind_what_was_written_is_bad(ahead, state):
    """
    F18: a clock set back lets nothing become due.
    """
    assert state == clock(AT + ahead, AT).state


@pytest.mark.parametrize(
    ("other", "state"),
    [
        (timedelta(), GOOD),
        (timedelta(seconds=1), GOOD),
        (timedelta(seconds=9), POOR),
        (timedelta(seconds=-9), POOR),
    ],
)
def test_clocks_apart_are_poor(other, state):
    """
    F18: what the answer took is no difference, what lies beyond is.
    """
    assert state == offset(AT + other, AT, AT + timedelta(milliseconds=50)).state


async def test_a_store_in_a_file_is_looked_at(settings):
    """
    A new place is poor, a store is good, and one that others may read is poor again.
    """
    fresh = told(file_store(settings))
    KeyFile(settings.key_file).create()
    store = await SqliteStore.open(settings.database)
    await store.append(Append(expected={MARTA: 0}, events=rows(MARTA)))
    await store.close()
    there = told(file_store(settings))
    store = await SqliteStore.open(settings.database)
    await SqliteLeases(store).acquire("keeping", "till-1:7/one", timedelta(hours=1))
    await store.close()
    [held] = [each for each in file_store(settings) if each.what == "lease keeping"]
    settings.database.chmod(0o644)
    open_ = told(file_store(settings))

    assert {"keys": POOR, "store": POOR} == fresh
    assert {"keys": GOOD, "key age": GOOD, "store": GOOD, "clock": GOOD} == there
    assert held.state is GOOD
    assert held.text.startswith("held by till-1:7/one until ")
    assert POOR == open_["store"]


def test_a_file_that_is_no_database_is_bad(settings):
    """
    It is said, and nothing is changed.
    """
    settings.database.write_bytes(b"no database" * 1_000)
    settings.database.chmod(0o600)

    assert BAD == told(file_store(settings))["store"]


CERTIFICATE = Path(__file__)
"""Some file that can be read."""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"mode": POOR}),
        ({"host": "192.0.2.1"}, {"mode": BAD, "encryption": BAD}),
        ({"mode": Mode.PRODUCTION}, {"encryption": POOR}),
        ({"mode": Mode.PRODUCTION, "host": "192.0.2.1"}, {"encryption": BAD}),
        (
            {"mode": Mode.PRODUCTION, "host": "192.0.2.1", "tls_certificate": CERTIFICATE},
            {},
        ),
        (
            {"mode": Mode.PRODUCTION, "tls_certificate": CERTIFICATE, "reflection": True},
            {"reflection": POOR},
        ),
        (
            {"metrics_port": 9464, "metrics_host": "192.0.2.1"},
            {"mode": POOR, "metrics": BAD},
        ),
        ({"jwks_file": Path("nowhere.json")}, {"mode": POOR, "file": BAD}),
    ],
)
def test_what_settings_leave_open_is_told(settings, changes, expected):
    """
    S2, S10: trust without proof, no encryption, reflection, figures for all.
    """
    assert expected == told(exposure(attrs.evolve(settings, **changes), {}))


def test_a_misspelt_setting_is_poor(settings):
    """
    What looks like a setting and is none does not do what its author thinks.
    """
    found = told(exposure(settings, {"CLIENTELA_DATADIR": "x", "PATH": "y"}))

    assert POOR == found["environment"]


def test_a_port_that_is_taken_is_bad(settings):
    """
    Serve would fail; here it is said why.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = list(service(attrs.evolve(settings, port=taken.getsockname()[1])))

    assert {"port": BAD} == told(found)


def test_a_host_that_nobody_knows_is_bad(settings):
    """
    The rest is told all the same.
    """
    found = list(service(attrs.evolve(settings, host="nowhere.invalid", port=7443)))

    assert {"port": BAD} == told(found)


def test_a_service_that_was_killed_left_its_word_behind(settings):
    """
    Its address stands there and nobody answers: poor, because nothing has to be done.
    """
    settings.address_file.write_text('{"address": "127.0.0.1:9", "pid": 1, "tls": false}')

    assert {"service": POOR, "port": GOOD} == told(service(settings))
