"""
Files beside the database: the lock, and making names and bytes last through a power cut.
"""

from __future__ import annotations

import fcntl
import os

from pathlib import Path

from clientela.services.store_errors import StoreUnsuitableError


PRIVATE = 0o600
"""Mode of every file made here."""

LOCK_TEXT_MAX = 64
"""Bytes read of a lock file."""


class DatabaseLockedError(StoreUnsuitableError):
    """
    Another process serves this database.

    Attributes:
        path: The lock file.

        holder: The number of that process; empty if it did not say.
    """

    def __init__(self, path: Path, holder: str) -> None:
        self.path = path
        self.holder = holder
        who = f"process {holder}" if holder else "another process"
        super().__init__(
            f"{path} is held by {who}: stop that process, or talk to it instead of opening the file"
        )


class FileLock:
    """
    An exclusive lock, held until it is released or its process ends, however it ends.

    Args:
        path: The lock file; it stays when the lock is released.

    Raises:
        DatabaseLockedError: somebody else holds it.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, LOCK_TEXT_MAX).decode(errors="replace").strip()
            os.close(self._file)
            raise DatabaseLockedError(path, holder) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go; more than once is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def beside(path: Path, suffix: str) -> Path:
    """The file whose name is that of *path* with *suffix* added."""
    return path.with_name(path.name + suffix)


def create(path: Path) -> None:
    """Make an empty private file that lasts, unless there is one."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make the bytes of a file last."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last."""
    sync_file(path)
