"""
Where the secrets are kept: a file of mode 0600, or whatever else is a `SecretStore`.

The file is JSON, so that an operator sees what it is; it is never edited. It is written beside its
place, synced, and moved there, so that every moment shows the whole old file or the whole new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from clientela.adapters.keys.failures import (
    KeyFileBusyError,
    KeyFileChangedError,
    KeyFileDamagedError,
    KeyFileExposedError,
    KeyFileForeignError,
    KeyFileMissingError,
)
from clientela.adapters.keys.keyring import Keyring, fresh_keyring
from clientela.adapters.keys.keytext import KEY_TEXT_LENGTH_MAX, KeyTextError, read, written


READ_ATTEMPTS_MAX = 3
"""Readings of a file that is replaced while it is read."""

LOCK_ATTEMPTS_MAX = 200
LOCK_PAUSE_SECONDS = 0.05
"""Together: how long to wait for another process that changes the file."""

_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BESIDE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class SecretStore(Protocol):
    """Keeps one keyring outside the database."""

    def load(self) -> Keyring:
        """
        The ring kept.

        Raises:
            KeyFileError: it is not there or must not be used; the message says what to do.
        """
        ...

    def create(self) -> Keyring:
        """Make and keep a fresh ring, or load the one kept: only for a store without a database."""
        ...

    def replace(self, old: Keyring, new: Keyring) -> None:
        """
        Keep *new* where *old* is kept; durable when this returns.

        Raises:
            KeyFileChangedError: something else is kept there by now.
        """
        ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


class KeyFile:
    """
    A keyring in a file.

    Args:
        path: Where. A link is followed, so that it stays one.

        clock: Now; aware, UTC.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        self.path = Path(os.path.realpath(path))
        self._beside = self.path.with_name(f"{self.path.name}.new")
        self._clock = clock

    def load(self) -> Keyring:
        """
        The ring in the file.

        Raises:
            KeyFileError: there is none, others may read it, or it is damaged.
        """
        for _ in range(READ_ATTEMPTS_MAX - 1):
            # What was replaced is overwritten: a reader that came just before looks again.
            with contextlib.suppress(KeyFileDamagedError):
                return self._load()
        return self._load()

    def create(self) -> Keyring:
        """
        The ring in the file, which is made with fresh secrets if there is none.

        Of several processes that call this at once one makes it, and all get the same.
        """
        if self.path.exists():
            return self.load()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._beside_locked() as descriptor:
            if not self.path.exists():
                self._put(descriptor, fresh_keyring(self._clock()))
        return self.load()

    def replace(self, old: Keyring, new: Keyring) -> None:
        """
        Write *new* in place of *old*, and overwrite the bytes of the old file.

        Raises:
            KeyFileChangedError: the file does not hold *old*.
        """
        with self._beside_locked() as descriptor:
            if self.load() != old:
                raise KeyFileChangedError(self.path)
            with _overwriting(self.path):
                self._put(descriptor, new)

    def _load(self) -> Keyring:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise KeyFileMissingError(self.path) from None
        try:
            _refuse_exposed(self.path, os.fstat(descriptor))
            text = os.read(descriptor, KEY_TEXT_LENGTH_MAX + 1)
        finally:
            os.close(descriptor)
        try:
            return read(text)
        except KeyTextError as error:
            raise KeyFileDamagedError(self.path, str(error)) from None

    @contextlib.contextmanager
    def _beside_locked(self) -> Generator[int]:
        """The file beside, which only its holder may write and move: file and lock in one."""
        descriptor = self._lock_beside()
        try:
            _refuse_exposed(self._beside, os.fstat(descriptor))
            yield descriptor
        finally:
            if _is_at(descriptor, self._beside):
                self._beside.unlink()
            os.close(descriptor)

    def _lock_beside(self) -> int:
        for _ in range(LOCK_ATTEMPTS_MAX):
            descriptor = os.open(self._beside, _BESIDE, _MODE)
            if _is_locked(descriptor) and _is_at(descriptor, self._beside):
                return descriptor
            os.close(descriptor)
            time.sleep(LOCK_PAUSE_SECONDS)
        raise KeyFileBusyError(self.path)

    def _put(self, descriptor: int, ring: Keyring) -> None:
        os.fchmod(descriptor, _MODE)
        os.ftruncate(descriptor, 0)
        with open(descriptor, "wb", closefd=False) as beside:
            beside.write(written(ring))
        if self.path.exists() and os.geteuid() == 0:
            # An operator who rotates as root leaves the file to whom it belonged.
            status = self.path.stat()
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fsync(descriptor)
        self._beside.replace(self.path)
        _sync_folder(self.path.parent)


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileDamagedError(path, "not a regular file")
    if status.st_mode & _OTHERS:
        raise KeyFileExposedError(path, stat.S_IMODE(status.st_mode))
    if os.geteuid() not in (0, status.st_uid):
        raise KeyFileForeignError(path, status.st_uid)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _overwriting(path: Path) -> Generator[None]:
    """Overwrite what stood at *path* once nothing names it any more; the medium may keep copies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield
        status = os.fstat(descriptor)
        if status.st_nlink == 0:
            os.pwrite(descriptor, bytes(status.st_size), 0)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
