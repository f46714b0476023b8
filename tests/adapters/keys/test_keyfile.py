"""
The key file: made once, private, whole or refused.
"""

from __future__ import annotations

import base64
import json
import stat

import pytest

from clientela.adapters.keys.failures import (
    KeyFileDamagedError,
    KeyFileExposedError,
    KeyFileForeignError,
    KeyFileMissingError,
)
from clientela.adapters.keys.keyfile import KeyFile
from clientela.adapters.keys.keytext import _sum
from tests.adapters.keys.company import AT, LATER, secrets_of
from tests.leak.scanner import Scanner


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
    path.write_text(json.dumps(plain | {"sum": _sum(plain)}))

    with pytest.raises(KeyFileDamagedError, match="missing or malformed"):
        file.load()


def test_key_file_of_another_user_is_refused(file, path, monkeypatch):
    """
    S9: a file that belongs to somebody else is refused: they can read it, and change it.
    """
    file.create()
    path.chmod(0o400)
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)

    with pytest.raises(KeyFileForeignError, match=f"belongs to user {path.stat().st_uid}"):
        KeyFile(path).load()


def test_key_file_that_the_system_does_not_let_read_is_refused(file, path, monkeypatch):
    """
    S9: a file that cannot be opened for want of rights is an error that says what to do.
    """

    def forbidden(*_args):
        raise PermissionError

    file.create()
    with monkeypatch.context() as patched:
        patched.setattr("os.open", forbidden)
        with pytest.raises(KeyFileForeignError, match="run `chown`"):
            KeyFile(path).load()


def test_file_is_read_again_only_when_it_changed(file, path, monkeypatch):
    """
    S9: loading is cheap while nothing changed, and a change is seen at once, without a restart.
    """
    ring = file.create()
    with monkeypatch.context() as patched:
        patched.setattr("os.read", None)
        assert ring is file.load()
    KeyFile(path).replace(ring, ring.begun(LATER))
    assert ring.current == file.load().retiring

    path.chmod(0o644)
    with pytest.raises(KeyFileExposedError):
        file.load()
    path.unlink()
    with pytest.raises(KeyFileMissingError):
        file.load()


def test_folder_in_place_of_the_key_file_is_refused(file, path):
    """
    What is no regular file is refused.
    """
    path.mkdir(parents=True)

    with pytest.raises(KeyFileDamagedError, match="not a regular file"):
        file.load()
