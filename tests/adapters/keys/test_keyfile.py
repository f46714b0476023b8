"""
The key file: made once, private, whole or refused.
"""

from __future__ import annotations

import base64
import json
import stat
import subprocess
import sys

import pytest

from clientela.adapters.keys import keyfile
from clientela.adapters.keys.failures import (
    KeyFileBusyError,
    KeyFileChangedError,
    KeyFileDamagedError,
    KeyFileExposedError,
    KeyFileMissingError,
)
from clientela.adapters.keys.keyfile import KeyFile
from tests.adapters.keys.company import AT, LATER, secrets_of
from tests.leak.scanner import Scanner


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


def test_first_start_makes_a_key_file_that_only_its_owner_reads(file, path):
    """
    S7: the first start makes three secrets of 256 bits in a file of mode 0600; later ones load it.
    """
    ring = file.create()

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [32, 32, 32] == [len(s) for s in secrets_of(ring).values()]
    assert 3 == len(set(secrets_of(ring).values()))
    assert (AT, None) == (ring.current.made_at, ring.retiring)
    assert ring == file.create() == file.load() == KeyFile(path).load()
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


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o644])
def test_key_file_that_others_may_use_is_refused(file, path, mode):
    """
    S9: a wider mode is an error that says which command mends it.
    """
    file.create()
    path.chmod(mode)

    with pytest.raises(KeyFileExposedError, match=f"has mode {mode:04o} .* run `chmod 600 {path}`"):
        file.load()


def test_key_file_may_be_read_only(file, path):
    """
    A mode narrower than 0600 is as good.
    """
    ring = file.create()
    path.chmod(0o400)

    assert ring == file.load()


def test_missing_key_file_is_an_error_not_a_new_one(file, path):
    """
    Loading never makes keys: a database without its key file must not get another one.
    """
    with pytest.raises(KeyFileMissingError, match="put back the one that belongs"):
        file.load()

    assert not path.exists()


def damaged(text: bytes) -> dict[str, bytes]:
    """
    Files that are not what was written.
    """
    plain = json.loads(text)
    other = {**plain, "lookup": base64.b64encode(bytes(32)).decode()}
    return {
        "empty": b"",
        "zeros": bytes(len(text)),
        "cut": text[:-40],
        "other format": text.replace(b"clientela-keys/1", b"clientela-keys/9"),
        "a list": b"[]",
        "no text": b"\xff\xfe",
        "one secret changed": json.dumps(other).encode(),
        "endless": text + b" " * 20_000,
    }


@pytest.mark.parametrize("damage", damaged(b'{"lookup": 1}'))
def test_damaged_key_file_is_refused(file, path, damage):
    """
    A file that is cut, edited or of another format is refused, and nothing of it is repeated.
    """
    ring = file.create()
    path.write_bytes(damaged(path.read_bytes())[damage])

    with pytest.raises(KeyFileDamagedError, match="put back a copy") as refused:
        file.load()

    assert () == Scanner({}, secrets_of(ring)).in_bytes(repr(refused.value).encode(), "error")


@pytest.mark.parametrize(
    "change",
    [
        {"current": None},
        {"current": {"id": "", "key": "", "made_at": ""}},
        {"lookup": "c2hvcnQ="},
        {"company": 7},
        {"retiring": {}},
    ],
)
def test_key_file_with_a_malformed_key_is_refused(file, path, change):
    """
    A key that is missing, short or of another type is refused even when the sum was made to match.
    """
    file.create()
    plain = json.loads(path.read_bytes()) | change
    del plain["sum"]
    path.write_text(json.dumps(plain | {"sum": keyfile_sum(plain)}))

    with pytest.raises(KeyFileDamagedError, match="missing or malformed"):
        file.load()


def keyfile_sum(plain: dict[str, object]) -> str:
    """
    The sum a key file bears.
    """
    from clientela.adapters.keys.keytext import _sum

    return _sum(plain)


def test_folder_in_place_of_the_key_file_is_refused(file, path):
    """
    What is no regular file is refused.
    """
    path.mkdir(parents=True)

    with pytest.raises(KeyFileDamagedError, match="not a regular file"):
        file.load()


def test_leftover_of_a_crash_is_no_obstacle(file, path):
    """
    A file half written when the power went is overwritten by the next writer.
    """
    path.parent.mkdir()
    beside = path.with_name("keys.json.new")
    beside.write_bytes(b'{"format": "clien')
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
    monkeypatch.setattr(keyfile, "LOCK_PAUSE_SECONDS", 0.0)

    with file._beside_locked(), pytest.raises(KeyFileBusyError, match="try again"):
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
