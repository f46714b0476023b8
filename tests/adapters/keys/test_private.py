"""
Writing the key file: whole or not at all, by one at a time, with nothing left behind.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys

import pytest

from clientela.adapters.keys import keyfile, private
from clientela.adapters.keys.failures import (
    KeyFileBusyError,
    KeyFileChangedError,
    KeyFileExposedError,
)
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.private import locked
from tests.adapters.keys.company import AT, LATER


CREATE = """
import sys
from pathlib import Path
from clientela.adapters.keys.keyfile import KeyFile
sys.stdin.readline()
print(KeyFile(Path(sys.argv[1])).create().fingerprint)
"""


@pytest.fixture
def path(tmp_path):
    """
    Where the key file is.
    """
    return tmp_path / "data" / "keys.json"


@pytest.fixture
def file(path):
    """
    A key file that was not made yet.
    """
    return KeyFile(path, lambda: AT)


def test_leftover_of_a_crash_is_no_obstacle(file, path):
    """
    A file half written when the power went is overwritten by the next writer.
    """
    path.parent.mkdir()
    beside = path.with_name("keys.json.new")
    beside.write_bytes(b'{"format": "clien' * 500)
    beside.chmod(0o600)

    ring = file.create()

    assert ring == file.load()
    assert not beside.exists()


def test_file_beside_that_others_may_read_is_refused(file, path):
    """
    Secrets are not written into a file that somebody else has laid out.
    """
    path.parent.mkdir()
    path.with_name("keys.json.new").touch(0o644)

    with pytest.raises(KeyFileExposedError):
        file.create()

    assert not path.exists()


def test_writer_waits_for_another_only_so_long(file, path, monkeypatch):
    """
    While another process holds the file beside, a writer tries a bounded number of times.
    """
    ring = file.create()
    monkeypatch.setattr(private, "LOCK_PAUSE_SECONDS", 0.0)

    with locked(file._beside, 1), pytest.raises(KeyFileBusyError, match="try again"):
        KeyFile(path).replace(ring, ring.begun(LATER))

    assert ring == file.load()


def test_key_file_changed_by_another_is_not_overwritten(file, path):
    """
    Of two that rotate at once the second is told, and the first one's keys stay.
    """
    ring = file.create()
    first = ring.begun(LATER)
    file.replace(ring, first)

    with pytest.raises(KeyFileChangedError):
        KeyFile(path).replace(ring, ring.begun(LATER))

    assert first == file.load()
    assert [path] == list(path.parent.iterdir())


def test_replaced_key_file_is_overwritten(file, path):
    """
    S8: the bytes of the old file are overwritten, so its inode gives nothing to who still has it.
    """
    ring = file.create()
    with path.open("rb") as old:
        file.replace(ring, ring.begun(LATER))

        assert {0} == set(old.read())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_copy_of_the_key_file_by_link_is_kept(file, path):
    """
    A file that another name still holds is not overwritten: it is somebody's copy.
    """
    ring = file.create()
    kept = path.with_name("copy.json")
    kept.hardlink_to(path)
    file.replace(ring, ring.begun(LATER))

    assert ring == KeyFile(kept).load()


def test_link_to_the_key_file_stays_a_link(file, path):
    """
    A secret that is mounted as a link is replaced where it is.
    """
    ring = file.create()
    link = path.parent.parent / "link.json"
    link.symlink_to(path)
    KeyFile(link).replace(ring, ring.begun(LATER))

    assert link.is_symlink()
    assert ring.begun(LATER).retiring == file.load().retiring


def test_first_start_that_is_overtaken_takes_the_keys_that_are_there(path, monkeypatch):
    """
    A file that came up while this one waited for its turn is not overwritten.
    """

    def overtaken(beside, attempts):
        monkeypatch.undo()
        KeyFile(path).create()
        return locked(beside, attempts)

    monkeypatch.setattr(keyfile, "locked", overtaken)
    before = KeyFile(path).create()

    assert before == KeyFile(path).load()
    assert [path] == list(path.parent.iterdir())


def test_many_processes_that_start_at_once_get_the_same_keys(path):
    """
    Of several first starts at once one makes the file, and all get what it made.
    """
    path.parent.mkdir()
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for start in starts:
        assert start.stdin
        start.stdin.write("go\n")
        start.stdin.flush()
    prints = {start.communicate(timeout=60)[0].strip() for start in starts}

    assert {KeyFile(path).load().fingerprint} == prints


@pytest.mark.parametrize("call", ["os.fsync", "os.ftruncate", "pathlib.Path.replace"])
def test_full_disk_leaves_the_old_file(file, path, monkeypatch, call):
    """
    F5: a file that cannot be written, synced or moved leaves the one there is, and nothing beside.
    """

    def full(*_args):
        raise OSError(errno.ENOSPC, "no space left on device")

    ring = file.create()
    with monkeypatch.context() as patched:
        patched.setattr(call, full)
        with pytest.raises(OSError, match="no space left"):
            file.replace(ring, ring.begun(LATER))

    assert ring == KeyFile(path).load()
    assert [path] == list(path.parent.iterdir())


def test_lock_on_a_file_that_was_moved_away_is_not_one(tmp_path, monkeypatch):
    """
    Who got the lock when the holder had moved the file into place locks anew what stands there.
    """
    beside, put = tmp_path / "keys.json.new", tmp_path / "keys.json"
    is_locked = private._is_locked

    def moved(descriptor):
        monkeypatch.undo()
        beside.rename(put)
        return is_locked(descriptor)

    monkeypatch.setattr(private, "_is_locked", moved)
    with locked(beside, attempts=2) as descriptor:
        os.write(descriptor, b"mine")

        assert (b"mine", b"") == (beside.read_bytes(), put.read_bytes())
