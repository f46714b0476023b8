"""
Backup and restore.

A backup is one file, whole and consistent, made while the database is served. It says of itself
that it is one, so a database made from it, by `restore` or by hand, gets another epoch when it is
first opened, and everybody whose key was destroyed since is erased again (see `erasures`).
It holds wrapped keys: keep it no longer than a key-encryption key lives.
"""

from __future__ import annotations

import shutil
import sqlite3

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from clientela.adapters.sqlite.connection import (
    SETTINGS,
    check_identity,
    check_version,
    connect,
    settle,
    transaction,
    truncated,
    unavailable,
)
from clientela.adapters.sqlite.erasures import ErasureList, recorded
from clientela.adapters.sqlite.files import FileLock, beside, create, sync_file, sync_folder
from clientela.adapters.sqlite.key_rows import fence
from clientela.adapters.sqlite.opening import BACKUP, EPOCH, ERASURES, LOCK
from clientela.adapters.sqlite.reading import faults, last_position, note
from clientela.adapters.sqlite.writing import write_note
from clientela.services.store_errors import StoreUnsuitableError


PART = ".part"
"""Suffix of a copy that is not finished."""


class FileExistsAlreadyError(StoreUnsuitableError):
    """
    A backup is never written over another file.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is there already: name another file")


class NotABackupError(StoreUnsuitableError):
    """
    A file is not a whole backup.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not a whole backup of Clientela: take another one")


def begin_copy(path: Path) -> sqlite3.Connection:
    """
    A connection to an empty file beside *path*, to be copied to.

    Raises:
        FileExistsAlreadyError: *path* is there already.

        StoreUnavailableError: the file cannot be made.
    """
    if path.exists():
        raise FileExistsAlreadyError(path)
    part = beside(path, PART)
    with _translated():
        part.unlink(missing_ok=True)
        create(part)
        connection = connect(part)
        # Synced once, when it is whole.
        connection.execute("PRAGMA synchronous = OFF")
        return connection


def abandon_copy(connection: sqlite3.Connection, path: Path) -> None:
    """Leave nothing of a copy that failed."""
    with _translated():
        connection.close()
        beside(path, PART).unlink(missing_ok=True)


def finish_copy(connection: sqlite3.Connection, path: Path) -> None:
    """
    Say of the copy that it is a backup, make it last, give it its name.

    Raises:
        NotABackupError: the copy is damaged.

        StoreUnavailableError: the disk does not take it.
    """
    part = beside(path, PART)
    with _translated():
        with closing(connection):
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            if faults(connection):
                raise NotABackupError(path)
            with transaction(connection):
                origin = f"{last_position(connection)}@{note(connection, EPOCH)}"
                write_note(connection, BACKUP, origin)
        sync_file(part)
        part.rename(path)
        sync_folder(path.parent)


def restore(backup: Path, path: Path) -> None:
    """
    Put a backup in the place of a database that is not served, which may be damaged or gone.

    Whom the present database or the list beside it calls erased stays erased: the restored one
    forgets them when it is first opened, before it is served.

    Args:
        backup: Made by `SqliteStore.backup`; it stays.

        path: The database.

    Raises:
        NotABackupError: *backup* is something else, or damaged.

        DatabaseLockedError: the database is being served.

        StoreUnavailableError: the disk does not take it.
    """
    check_version()
    path = path.resolve()
    with _translated():
        lock = FileLock(beside(path, LOCK))
        try:
            part = beside(path, PART)
            shutil.copyfile(backup, part)
            part.chmod(0o600)
            _check_backup(part, backup)
            _list_erasures(path)
            _replace(path, part)
        finally:
            lock.release()


def fence_in(path: Path) -> str:
    """
    The key-encryption key that new keys in a file are wrapped under, looked up without changing it.

    Returns:
        Empty for any, and if it cannot be read.
    """
    try:
        address = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return (fence(connection) or "").rstrip()
    except sqlite3.Error:
        return ""


def _check_backup(part: Path, backup: Path) -> None:
    try:
        with closing(connect(part)) as connection:
            is_empty = check_identity(connection, backup)
            is_good = not is_empty and note(connection, BACKUP) and not faults(connection)
    except (sqlite3.DatabaseError, StoreUnsuitableError) as error:
        raise NotABackupError(backup) from error
    if not is_good:
        raise NotABackupError(backup)


def _list_erasures(path: Path) -> None:
    """List whom the present database knows as erased, as far as it can still be read."""
    erasures = ErasureList(beside(path, ERASURES))
    if not path.exists():
        return
    try:
        with closing(connect(path)) as connection:
            if check_identity(connection, path):
                return
            settle(connection, SETTINGS)
            listed = erasures.read()
            erasures.add(e for e in recorded(connection) if e not in listed)
            truncated(connection)
    except (sqlite3.DatabaseError, StoreUnsuitableError):
        return


def _replace(path: Path, part: Path) -> None:
    """The log of the old database would be played into the new one, so it goes first."""
    sync_file(part)
    for suffix in ("-wal", "-shm"):
        beside(path, suffix).unlink(missing_ok=True)
    sync_folder(path.parent)
    part.rename(path)
    sync_folder(path.parent)


@contextmanager
def _translated() -> Generator[None, None, None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise unavailable(error) from error
