"""
Files that only their owner may use: locked, written beside their place, overwritten at the end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time

from collections.abc import Generator
from pathlib import Path

from clientela.adapters.keys.failures import (
    KeyFileBusyError,
    KeyFileDamagedError,
    KeyFileExposedError,
    KeyFileForeignError,
)


MODE = 0o600

LOCK_ATTEMPTS_MAX = 200
LOCK_PAUSE_SECONDS = 0.05
"""Together: how long to wait for another process that changes a file."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NEW = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def locked(path: Path, attempts: int) -> Generator[int]:
    """
    A new file at *path* that only its holder may write and move: file and lock in one.

    What is left of it at the end is removed; a holder that is killed leaves a file without a lock.

    Args:
        path: Where.

        attempts: How often to try, `LOCK_PAUSE_SECONDS` apart.

    Raises:
        KeyFileBusyError: another process held it all the time.

        KeyFileError: somebody else has laid it out.
    """
    descriptor = _lock(path, attempts)
    try:
        refuse_exposed(path, os.fstat(descriptor))
        yield descriptor
    finally:
        if identity(path) == identity_of(os.fstat(descriptor)):
            path.unlink()
        os.close(descriptor)


def _lock(path: Path, attempts: int) -> int:
    for attempt in range(attempts):
        if attempt:
            time.sleep(LOCK_PAUSE_SECONDS)
        descriptor = os.open(path, _NEW, MODE)
        if _is_locked(descriptor) and identity(path) == identity_of(os.fstat(descriptor)):
            return descriptor
        os.close(descriptor)
    raise KeyFileBusyError(path)


def refuse_exposed(path: Path, status: os.stat_result) -> None:
    """
    Refuse a file that anybody but its owner may use, or whose owner is somebody else.

    Raises:
        KeyFileError: it is such a file; the message says what to do.
    """
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


def identity(path: Path) -> tuple[int, ...] | None:
    """Tells one state of one file from any other; None when there is none."""
    try:
        return identity_of(path.stat())
    except FileNotFoundError:
        return None


def identity_of(status: os.stat_result) -> tuple[int, ...]:
    """As `identity`, of a file that is open."""
    # The time of change covers mode, owner and content, and cannot be set at will.
    return (status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns)


def sync_folder(folder: Path) -> None:
    """Make what was moved into *folder* stay there through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def overwriting(path: Path) -> Generator[None]:
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
