"""
Where the secrets are kept: a file of mode 0600, or whatever else is a `SecretStore`.

The file is JSON, so that an operator sees what it is; it is never edited. It is written beside its
place, synced, and moved there, so that every moment shows the whole old file or the whole new one.
"""

from __future__ import annotations

import contextlib
import os

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from clientela.adapters.keys.failures import (
    KeyFileChangedError,
    KeyFileDamagedError,
    KeyFileForeignError,
    KeyFileMissingError,
)
from clientela.adapters.keys.keyring import Keyring, fresh_keyring
from clientela.adapters.keys.keytext import KEY_TEXT_LENGTH_MAX, KeyTextError, read, written
from clientela.adapters.keys.private import (
    LOCK_ATTEMPTS_MAX,
    MODE,
    identity,
    identity_of,
    locked,
    overwriting,
    refuse_exposed,
    sync_folder,
)


READ_ATTEMPTS_MAX = 3
"""Readings of a file that is replaced while it is read."""


class SecretStore(Protocol):
    """Keeps one keyring outside the database."""

    def load(self) -> Keyring:
        """
        The ring kept; called for every key that is made, so it must be cheap when nothing changed.

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

    def rotating(self) -> AbstractContextManager[None]:
        """
        Held by the one rotation that may run; ends with its process, whatever ends that.

        Raises:
            KeyFileError: another one is running.
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
        self._rotating = self.path.with_name(f"{self.path.name}.rotating")
        self._clock = clock
        self._last: tuple[tuple[int, ...], Keyring] | None = None

    def load(self) -> Keyring:
        """
        The ring in the file; not read again while the file is the same.

        Raises:
            KeyFileError: there is none, others may read it, or it is damaged.
        """
        last = self._last
        if last is not None and last[0] == identity(self.path):
            return last[1]
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
        with locked(self._beside, LOCK_ATTEMPTS_MAX) as descriptor:
            if not self.path.exists():
                self._put(descriptor, fresh_keyring(self._clock()))
        return self.load()

    def replace(self, old: Keyring, new: Keyring) -> None:
        """
        Write *new* in place of *old*, and overwrite the bytes of the old file.

        Raises:
            KeyFileChangedError: the file does not hold *old*.
        """
        with locked(self._beside, LOCK_ATTEMPTS_MAX) as descriptor:
            if self.load() != old:
                raise KeyFileChangedError(self.path)
            with overwriting(self.path):
                self._put(descriptor, new)

    @contextlib.contextmanager
    def rotating(self) -> Generator[None]:
        """
        Held by the one rotation that may run on this file.

        Raises:
            KeyFileBusyError: another one is running.
        """
        with locked(self._rotating, attempts=1):
            yield

    def _load(self) -> Keyring:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise KeyFileMissingError(self.path) from None
        except PermissionError:
            raise KeyFileForeignError(self.path, self.path.stat().st_uid) from None
        try:
            status = os.fstat(descriptor)
            refuse_exposed(self.path, status)
            text = os.read(descriptor, KEY_TEXT_LENGTH_MAX + 1)
        finally:
            os.close(descriptor)
        try:
            ring = read(text)
        except KeyTextError as error:
            raise KeyFileDamagedError(self.path, str(error)) from None
        self._last = (identity_of(status), ring)
        return ring

    def _put(self, descriptor: int, ring: Keyring) -> None:
        os.fchmod(descriptor, MODE)
        os.ftruncate(descriptor, 0)
        with open(descriptor, "wb", closefd=False) as beside:
            beside.write(written(ring))
        if self.path.exists() and os.geteuid() == 0:
            # An operator who rotates as root leaves the file to whom it belonged.
            status = self.path.stat()
            os.fchown(descriptor, status.st_uid, status.st_gid)
        os.fsync(descriptor)
        self._beside.replace(self.path)
        sync_folder(self.path.parent)
